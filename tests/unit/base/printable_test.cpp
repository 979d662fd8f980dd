#include "vmm/base/printable.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

TEST(Printable, KeepsText) {
  const std::string text = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \\x1b \xc2\xa0";
  EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, WritesControlsAsEscapes) {
  EXPECT_EQ(printable("a\033[2Jb\r\n\t\x7f"), "a\\x1b[2Jb\\r\\n\\t\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m"); // CSI as one character
}

TEST(Printable, WritesWhatIsNotUtf8AsEscapes) {
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80\xff"), "\\xc0\\xaf\\xed\\xa0\\x80\\xff");
  EXPECT_EQ(printable("cut \xe2\x82"), "cut \\xe2\\x82");
}

TEST(Utf8, IsWhatTheStandardSays) {
  for (const std::string_view text :
       {"", "a\n", "\xc2\x80", "\xe0\xa0\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbe"})
    EXPECT_TRUE(is_utf8(text)) << printable(text);
  for (const std::string_view text :
       {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xff"})
    EXPECT_FALSE(is_utf8(text)) << printable(text);
}

} // namespace
} // namespace reveille::vmm
