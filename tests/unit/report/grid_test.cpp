#include "vmm/report/grid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace reveille::vmm {
namespace {

using abi::State;
using abi::Word;

Style plain(int width) { return {true, false, width}; }

/// CPU 0, and the others in all states by turns.
std::vector<Word> mixed(std::size_t cpus) {
  std::vector<Word> words;
  for (std::size_t cpu = 0; cpu < cpus; ++cpu)
    words.push_back({1, static_cast<State>(cpu % abi::kStateCount)});
  return words;
}

ProgressView view_of(const std::vector<Word> &words, const std::vector<CpuIndex> &held = {}) {
  ProgressView view;
  view.ms = 12;
  view.words = words;
  view.held = held;
  return view;
}

bool is_row(const std::string &line) {
  const std::size_t digit = line.find_first_not_of(' ');
  return digit != std::string::npos && std::isdigit(static_cast<unsigned char>(line[digit])) != 0 &&
         line.find(" ms ") == std::string::npos;
}

/// The cells of all rows, in their order.
std::string cells_of(const std::vector<std::string> &lines) {
  std::string cells;
  for (const std::string &line : lines)
    if (is_row(line))
      for (std::size_t i = line.find(' ', line.find_first_not_of(' ')); i < line.size(); ++i)
        if (line[i] != ' ')
          cells += line[i];
  return cells;
}

/// How many CPUs the last line says are not shown.
std::size_t left_out(const std::vector<std::string> &lines) {
  return lines.back().starts_with("and ") ? std::stoul(lines.back().substr(4)) : 0;
}

TEST(Grid, HasACellForEachCpuWhereThereIsRoom) {
  const std::vector<Word> words = mixed(8);
  const std::vector<CpuIndex> held = {3, 5};
  const auto lines = grid_lines(plain(80), view_of(words, held), 23);
  ASSERT_GE(lines.size(), 3U);
  EXPECT_EQ(lines[0], progress_line(view_of(words, held), 80));
  EXPECT_EQ(lines[1], "0 Ckk!s!Sy");
  EXPECT_TRUE(lines[2].starts_with("C control CPU  - down  k kicked")) << lines[2];
}

TEST(Grid, HasALetterForEachState) {
  EXPECT_EQ(cells_of(grid_lines(plain(80), view_of(mixed(abi::kStateCount)), 23)), "CkkKsvSyYoOiIav=vvvdxx");
  std::vector<Word> words = mixed(2);
  words[1].state = static_cast<State>(200);
  EXPECT_EQ(cells_of(grid_lines(plain(80), view_of(words), 23)), "C?");
}

TEST(Grid, KeepsToItsRoomAndAccountsForEveryCpu) {
  for (const std::size_t cpus : {1U, 2U, 8U, 255U, 1024U}) {
    const std::vector<Word> words = mixed(cpus);
    for (const int width : {1, 5, 20, 80, 200})
      for (const int height : {0, 1, 2, 3, 5, 10, 23, 60, 200}) {
        const auto lines = grid_lines(plain(width), view_of(words), height);
        SCOPED_TRACE(testing::Message() << cpus << " CPUs, " << width << " columns, " << height << " lines");
        EXPECT_LE(lines.size(), static_cast<std::size_t>(std::max(height, 1)));
        ASSERT_FALSE(lines.empty());
        for (const std::string &line : lines)
          EXPECT_LE(line.size(), static_cast<std::size_t>(width)) << line;
        const std::size_t cells = cells_of(lines).size();
        const bool has_room = height == 200 && width >= 20 && cpus > 1;
        EXPECT_TRUE(!has_room || cells == cpus) << cells;
        EXPECT_TRUE(lines.size() == 1 || width < 20 || cells + left_out(lines) == cpus) << cells;
      }
  }
}

TEST(Grid, LosesItsLegendFirst) {
  const std::vector<Word> words = mixed(8);
  EXPECT_EQ(grid_lines(plain(80), view_of(words), 5).size(), 5U);
  const auto lines = grid_lines(plain(80), view_of(words), 4);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(cells_of(lines).size(), 8U);
}

TEST(Grid, ThenPutsItsCellsCloserTogether) {
  const std::vector<Word> words = mixed(1024); // 64 in a row of 80 columns, or 75 without the spaces
  EXPECT_EQ(cells_of(grid_lines(plain(80), view_of(words), 17)).size(), 1024U);
  const auto lines = grid_lines(plain(80), view_of(words), 15);
  ASSERT_EQ(lines.size(), 15U);
  EXPECT_EQ(cells_of(lines).size(), 1024U);
  EXPECT_EQ(lines[1].find(' ', 5), std::string::npos);
}

TEST(Grid, ThenShowsTheRowsThatTellMost) {
  std::vector<Word> words(1024, {1, State::kActive});
  words[0] = {};
  words[1000] = {1, State::kAbandoned};
  const auto lines = grid_lines(plain(80), view_of(words), 3);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[1].find('x'), std::string::npos) << lines[1];
  EXPECT_EQ(lines[2], "and 975 more CPUs, 975 active");
  const std::vector<CpuIndex> held = {77};
  EXPECT_NE(grid_lines(plain(80), view_of(words, held), 3)[1].find('!'), std::string::npos)
      << "a CPU that is held tells more than those that are up";
}

TEST(Grid, ColoursByPointWhereThereAreColours) {
  const std::vector<Word> words = mixed(abi::kStateCount);
  const std::vector<CpuIndex> held = {3};
  std::string all;
  for (const std::string &line : grid_lines({true, true, 80}, view_of(words, held), 23))
    all += line;
  for (const char *painted : {"\033[33mkk", "\033[34ms", "\033[35my", "\033[36mo", "\033[96mi", "\033[92ma",
                              "\033[32m=", "\033[1;31mxx", "\033[1;7;33m!"})
    EXPECT_NE(all.find(painted), std::string::npos) << painted + 1;
  for (const std::string &line : grid_lines(plain(80), view_of(words, held), 23))
    EXPECT_EQ(line.find('\033'), std::string::npos);
}

} // namespace
} // namespace reveille::vmm
