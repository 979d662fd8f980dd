#include "vmm/report/outputs.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace reveille::vmm {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, with the file "is-there" and other names of it.
class Outputs : public testing::Test {
protected:
  void SetUp() override {
    fs::create_directory(folder_);
    std::ofstream(path("is-there")) << "x";
    fs::create_symlink("is-there", path("link"));
    fs::create_hard_link(path("is-there"), path("hard"));
    fs::create_directory(path("sub"));
    fs::create_directory_symlink("sub", path("same-sub"));
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string &name) const { return (folder_ / name).string(); }

  /// What is wrong with two outputs, without the folder.
  std::string both(const std::string &json, const std::string &junit) {
    const std::array<Output, 2> outputs{{{"--json", json}, {"--junit", junit}}};
    return told(check_outputs(outputs));
  }

  /// What is wrong with an output beside something that is read.
  std::string kept(const std::string &json, const std::string &input) {
    const std::array<Output, 1> outputs{{{"--json", json}}};
    const std::array<Input, 1> inputs{{{input, "the scenario"}}};
    return told(check_kept(outputs, inputs));
  }

private:
  [[nodiscard]] std::string told(const Result<void> &result) const {
    if (result)
      return "";
    EXPECT_EQ(result.error().status, ExitStatus::kUsage);
    std::string text = result.error().message;
    if (const std::size_t at = text.find(folder_.string()); at != std::string::npos)
      text.erase(at, folder_.string().size() + 1);
    return text;
  }

  fs::path folder_ = fs::path(testing::TempDir()) / ("reveille-outputs-" + std::to_string(::getpid()));
};

TEST_F(Outputs, OneFileIsNotWrittenTwiceWhateverItIsCalled) {
  for (const char *name : {"is-there", "./is-there", "sub/../is-there", "link", "hard"})
    EXPECT_EQ(both(path("is-there"), path(name)),
              std::string("--junit: ") + name + " is what --json writes, and would be overwritten");
  for (const char *name : {"sub/new", "sub/./new", "same-sub/new"})
    EXPECT_EQ(both(path("sub/new"), path(name)),
              std::string("--junit: ") + name + " is what --json writes, and would be overwritten");
}

TEST_F(Outputs, ThatAreApartAreFine) {
  EXPECT_EQ(both(path("is-there"), path("new")), "");
  EXPECT_EQ(both(path("new"), path("sub/new")), "");
  EXPECT_EQ(both("", ""), "");
  EXPECT_EQ(both("/dev/null", "/dev/null"), "");
  EXPECT_EQ(both("-", path("new")), "");
  EXPECT_EQ(both("-", "-"), "--json and --junit: only one of them can be standard output");
}

TEST_F(Outputs, MustBeWritable) {
  EXPECT_EQ(both("", path("sub")), "--junit: sub is a directory");
  EXPECT_EQ(both(path("none/x"), ""), "--json: there is no folder none");
}

TEST_F(Outputs, WhatIsReadIsKept) {
  for (const char *name : {"is-there", "./is-there", "link", "hard"})
    EXPECT_EQ(kept(path(name), path("is-there")),
              std::string("--json: ") + name + " is the scenario, and would be overwritten");
  EXPECT_EQ(kept(path("new"), path("is-there")), "");
  EXPECT_EQ(kept("/dev/null", "/dev/null"), "");
  EXPECT_EQ(kept("", ""), "");
}

} // namespace
} // namespace reveille::vmm
