#include "vmm/suite/find.hpp"

#include "folder.hpp"

namespace reveille::vmm {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> found(const std::vector<std::string> &paths) {
  const auto files = find_scenarios(paths);
  EXPECT_TRUE(files) << files.error().message;
  return files.value_or(std::vector<std::string>{});
}

std::string complaint(const std::vector<std::string> &paths) {
  const auto files = find_scenarios(paths);
  if (files)
    return "it found " + std::to_string(files->size());
  EXPECT_EQ(files.error().status, ExitStatus::kUsage);
  return files.error().message;
}

TEST(SuiteFind, FoldersAreReadRecursivelyByName) {
  const Folder folder;
  for (const char *name :
       {"b.toml", "a.toml", "sub/c.toml", "sub/deep/d.toml", "B.toml", "a2.toml", "a10.toml"})
    folder.write(name);
  for (const char *name : {"notes.txt", "toml", ".hidden.toml", ".git/x.toml", "x.toml.bak"})
    folder.write(name);
  fs::create_directory(folder / "folder.toml");
  EXPECT_EQ(found({folder.path()}),
            (std::vector{folder / "B.toml", folder / "a.toml", folder / "a10.toml", folder / "a2.toml",
                         folder / "b.toml", folder / "sub/c.toml", folder / "sub/deep/d.toml"}));
}

TEST(SuiteFind, TheOrderOfThePathsDoesNotMatter) {
  const Folder folder;
  const std::string a = folder.write("a.toml");
  const std::string other = folder.write("other"); // a named file may be called anything
  const std::string z = folder.write("sub/z.toml");
  EXPECT_EQ(found({z, other, a}), found({a, folder / "sub", other}));
  EXPECT_EQ(found({z, other, a}), (std::vector{a, other, z}));
}

TEST(SuiteFind, AFileThatIsNamedTwiceIsThereOnce) {
  const Folder folder;
  const std::string a = folder.write("a.toml");
  fs::create_symlink("a.toml", folder / "b.toml");
  EXPECT_EQ(found({a, folder.path(), a, folder / "./a.toml", folder.path()}).size(), 1U);
}

TEST(SuiteFind, LinksToFoldersAreNotFollowed) {
  const Folder folder;
  const Folder other;
  const std::string a = folder.write("sub/a.toml");
  other.write("b.toml");
  fs::create_directory_symlink("..", folder / "sub/loop");
  fs::create_directory_symlink(other.path(), folder / "link");
  EXPECT_EQ(found({folder.path()}), std::vector{a});
  EXPECT_EQ(found({folder / "link"}), std::vector{folder / "link/b.toml"}); // unless it is named
}

TEST(SuiteFind, WhatCannotBeReadIsNotLeftOut) {
  const Folder folder;
  fs::create_symlink("nowhere", folder / "dangling.toml");
  EXPECT_EQ(found({folder.path()}), std::vector{folder / "dangling.toml"});
}

TEST(SuiteFind, SaysWhatIsNotThere) {
  const Folder folder;
  const std::string a = folder.write("a.toml");
  folder.write("empty/notes.txt");
  EXPECT_EQ(complaint({a, "no/such.toml"}), "no/such.toml: No such file or directory");
  EXPECT_EQ(complaint({a, folder / "empty"}), folder / "empty: there is no *.toml in this folder or below");
  EXPECT_EQ(complaint({"-"}), "a suite is of files and folders; vmm run - reads standard input");
}

TEST(SuiteFind, ANameIsNeverAnOption) {
  const Folder folder;
  folder.write("-x.toml");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_EQ(found({"-x.toml"}), std::vector<std::string>{"./-x.toml"});
  fs::current_path(before);
}

} // namespace
} // namespace reveille::vmm
