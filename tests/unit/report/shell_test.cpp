#include "vmm/report/shell.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace reveille::vmm {
namespace {

/// What bash makes of a word.
std::string read_by_bash(const std::string &word) {
  const std::string script = testing::TempDir() + "reveille-shell-" + std::to_string(::getpid());
  std::ofstream(script, std::ios::binary) << "printf %s " << word;
  // In the C locale it takes bytes as they are.
  std::FILE *pipe = ::popen(("LC_ALL=C bash '" + script + "'").c_str(), "r");
  std::string text;
  std::array<char, 256> piece{};
  while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), pipe))
    text.append(piece.data(), got);
  ::pclose(pipe);
  std::remove(script.c_str());
  return text;
}

TEST(ShellQuoted, PlainWordsStayAsTheyAre) {
  for (const std::string word :
       {"a", "configs/one.toml", "machine.vcpus=64", "expect.online=0-2,4-7", "a@b:c%+"})
    EXPECT_EQ(shell_quoted(word), word);
}

TEST(ShellQuoted, OthersAreQuoted) {
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_quoted("gr\xc3\xbc\xc3\x9f"), "'gr\xc3\xbc\xc3\x9f'");
  EXPECT_EQ(shell_quoted("a\nb\0331'\\\xff"), "$'a\\012b\\0331\\047\\134\\377'");
}

TEST(ShellQuoted, AShellReadsTheWordBack) {
  std::string every;
  for (int c = 1; c < 256; ++c)
    every += static_cast<char>(c);
  for (const std::string &word : {every, std::string("it's \"$x\" `y` \\ *?[a] ~ # ! {a,b}"),
                                  std::string("\033\x31"), std::string("-n")})
    EXPECT_EQ(read_by_bash(shell_quoted(word)), word);
}

} // namespace
} // namespace reveille::vmm
