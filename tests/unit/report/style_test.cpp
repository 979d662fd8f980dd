#include "vmm/report/style.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <unistd.h>

namespace reveille::vmm {
namespace {

/// Sets a variable of the environment, and puts it back.
class Variable {
public:
  Variable(const char *name, const char *value) : name_(name) {
    if (const char *before = std::getenv(name))
      before_ = before;
    if (value != nullptr)
      ::setenv(name, value, 1);
    else
      ::unsetenv(name);
  }
  ~Variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  Variable(const Variable &) = delete;
  Variable &operator=(const Variable &) = delete;

private:
  const char *name_;
  std::optional<std::string> before_;
};

using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;

/// A terminal, or nothing where the host gives none.
File terminal() {
  const int control = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (control < 0 || ::grantpt(control) != 0 || ::unlockpt(control) != 0)
    return {nullptr, std::fclose};
  const int fd = ::open(::ptsname(control), O_RDWR | O_NOCTTY);
  return {fd < 0 ? nullptr : ::fdopen(fd, "w"), std::fclose};
}

TEST(StyleForStream, ColoursATerminalUnlessToldNotTo) {
  const File out = terminal();
  if (!out)
    GTEST_SKIP() << "no pseudo-terminal here";
  const Variable term("TERM", "xterm");
  const Variable columns("COLUMNS", nullptr);
  {
    const Variable unset("NO_COLOR", nullptr);
    EXPECT_TRUE(Style::for_stream(out.get()).colour);
    EXPECT_EQ(Style::for_stream(out.get()).width, 80);
    for (const char *plain : {"dumb", "", static_cast<const char *>(nullptr)}) {
      const Variable other("TERM", plain);
      const Style style = Style::for_stream(out.get());
      EXPECT_FALSE(style.colour);
      EXPECT_FALSE(style.terminal) << "it may not know how to move its cursor";
      EXPECT_EQ(style.width, 80);
    }
  }
  {
    const Variable empty("NO_COLOR", "");
    EXPECT_TRUE(Style::for_stream(out.get()).colour);
  }
  const Variable set("NO_COLOR", "1");
  EXPECT_FALSE(Style::for_stream(out.get()).colour);
  EXPECT_TRUE(Style::for_stream(out.get()).terminal);
}

TEST(StyleForStream, AFileHasNoColour) {
  const File out(std::tmpfile(), std::fclose);
  const Variable term("TERM", "xterm");
  const Variable unset("NO_COLOR", nullptr);
  const Variable columns("COLUMNS", "132");
  const Style style = Style::for_stream(out.get());
  EXPECT_FALSE(style.colour);
  EXPECT_FALSE(style.terminal);
  EXPECT_EQ(style.width, 132);
  const Variable nonsense("COLUMNS", "wide");
  EXPECT_EQ(Style::for_stream(out.get()).width, 100);
  const Variable narrow("COLUMNS", "3");
  EXPECT_EQ(Style::for_stream(out.get()).width, 40);
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(wrap("ab: ", "one two three", 12), "ab: one two\n    three\n");
  EXPECT_EQ(wrap("", "averylongword x", 5), "averylongword\nx\n");
  EXPECT_EQ(wrap("x", "", 5), "x\n");
}

TEST(Paint, LeavesTheLineEndOutside) {
  EXPECT_EQ(paint({true, true, 80}, Ink::kGood, "x\n"), "\033[32mx\033[0m\n");
  EXPECT_EQ(paint({true, false, 80}, Ink::kGood, "x\n"), "x\n");
}

} // namespace
} // namespace reveille::vmm
