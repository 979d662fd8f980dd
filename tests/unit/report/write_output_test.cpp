#include "vmm/report/write_output.hpp"

#include "vmm/base/fd.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reveille::vmm {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class WriteOutput : public ::testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "report-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(WriteOutput, WritesAndReplaces) {
  const fs::path file = folder_ / "result.json";
  ASSERT_TRUE(write_output(file.string(), "{\"long\": \"text\"}\n"));
  ::chmod(file.c_str(), 0640);
  ASSERT_TRUE(write_output(file.string(), "{}\n"));
  EXPECT_EQ(content(file), "{}\n");
  EXPECT_EQ(files(), 1U) << "something is left behind";
  struct stat after = {};
  ASSERT_EQ(::stat(file.c_str(), &after), 0);
  EXPECT_EQ(after.st_mode & 0777U, 0640U);
}

TEST_F(WriteOutput, TakesATextInPieces) {
  const fs::path file = folder_ / "result.json";
  const std::array<std::string_view, 3> pieces{"one", "", "two"};
  ASSERT_TRUE(write_output(file, pieces));
  EXPECT_EQ(content(file), "onetwo");
  EXPECT_EQ(files(), 1U);
}

TEST_F(WriteOutput, ALinkStaysALink) {
  const fs::path file = folder_ / "real.json";
  const fs::path link = folder_ / "link.json";
  ASSERT_TRUE(write_output(file.string(), "old"));
  fs::create_symlink(file, link);
  ASSERT_TRUE(write_output(link.string(), "new"));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(content(file), "new");
}

TEST_F(WriteOutput, ErrorsNameTheFileAndLeaveNothing) {
  const auto missing = write_output((folder_ / "no" / "result.json").string(), "{}");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().status, ExitStatus::kUsage);
  EXPECT_NE(missing.error().message.find("no/result.json: No such file"), std::string::npos)
      << missing.error().message;
  EXPECT_FALSE(write_output(folder_.string(), "{}"));
  EXPECT_EQ(files(), 0U);
}

TEST_F(WriteOutput, AFileThatDoesNotFitIsTakenAway) {
  const fs::path file = folder_ / "result.json";
  ASSERT_TRUE(write_output(file.string(), "old"));
  const auto with_little_room = [&] {
    const rlimit little = {4, 4};
    const bool limited = std::signal(SIGXFSZ, SIG_IGN) != SIG_ERR && ::setrlimit(RLIMIT_FSIZE, &little) == 0;
    const auto written = write_output(file.string(), "much longer");
    std::_Exit(limited && !written ? 0 : 1);
  };
  EXPECT_EXIT(with_little_room(), ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(content(file), "old");
  EXPECT_EQ(files(), 1U) << "something is left behind";
}

// A pipe of the test's own, never a node of /dev: as root, a writer that is wrong would replace
// that for the whole machine.
TEST_F(WriteOutput, APipeIsWrittenToAndNotReplaced) {
  const fs::path pipe = folder_ / "pipe";
  const fs::path link = folder_ / "link";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink(pipe, link);
  const Fd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_TRUE(reader.is_open());
  ASSERT_TRUE(write_output(link.string(), "{}"));
  char text[8] = {};
  EXPECT_EQ(::read(reader.get(), text, sizeof(text) - 1), 2);
  EXPECT_STREQ(text, "{}");
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(files(), 2U) << "something is left behind";
}

TEST_F(WriteOutput, AReadOnlyFileIsLeftAlone) {
  const fs::path file = folder_ / "result.json";
  ASSERT_TRUE(write_output(file.string(), "old"));
  ::chmod(file.c_str(), 0444);
  ::chmod(folder_.c_str(), 0777);
  constexpr uid_t kNobody = 65534; // root may write to any file
  const auto as_somebody = [&] {
    const bool somebody = ::geteuid() != 0 || ::setuid(kNobody) == 0;
    const auto written = write_output(file.string(), "new");
    std::_Exit(somebody && !written ? 0 : 1);
  };
  EXPECT_EXIT(as_somebody(), ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(content(file), "old");
}

} // namespace
} // namespace reveille::vmm
