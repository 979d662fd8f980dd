#include "vmm/suite/spool.hpp"

#include "folder.hpp"

namespace reveille::vmm {
namespace {

TEST(SuiteSpool, GivesTextsBackInTheirOrder) {
  auto spool = Spool::create();
  ASSERT_TRUE(spool);
  EXPECT_TRUE(spool->texts()->empty());
  const std::string large(3'000'000, 'x');
  ASSERT_TRUE(spool->add(7, "seven"));
  ASSERT_TRUE(spool->add(2, large));
  ASSERT_TRUE(spool->add(5, ""));
  EXPECT_EQ(*spool->texts(), (std::vector<std::string_view>{large, "", "seven"}));
  ASSERT_TRUE(spool->add(1, "one"));
  EXPECT_EQ(spool->texts()->front(), "one");
}

TEST(SuiteSpool, LeavesNothingBehind) {
  const Folder folder;
  ASSERT_EQ(::setenv("TMPDIR", folder.path().c_str(), 1), 0);
  auto spool = Spool::create();
  EXPECT_TRUE(spool);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  ASSERT_EQ(::setenv("TMPDIR", (folder / "none").c_str(), 1), 0);
  EXPECT_FALSE(Spool::create());
  ASSERT_EQ(::unsetenv("TMPDIR"), 0);
}

} // namespace
} // namespace reveille::vmm
