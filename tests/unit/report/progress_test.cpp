#include "vmm/report/progress.hpp"

#include "vmm/report/grid.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace reveille::vmm {
namespace {

using abi::State;
using abi::Word;

class Paper {
public:
  [[nodiscard]] std::FILE *get() const { return file_.get(); }
  [[nodiscard]] std::string text() const {
    std::string all(static_cast<std::size_t>(std::ftell(file_.get())), '\0');
    std::rewind(file_.get());
    all.resize(std::fread(all.data(), 1, all.size(), file_.get()));
    return all;
  }

private:
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file_{std::tmpfile(), std::fclose};
};

const std::vector<Word> kWords = {{0, State::kDown},           {1, State::kActive},    {1, State::kActive},
                                  {1, State::kStarting, 2},    {1, State::kAbandoned}, {1, State::kParked},
                                  {9, static_cast<State>(200)}};

TEST(ProgressLine, CountsTheApsByState) {
  const std::vector<CpuIndex> held = {1, 3, 4};
  EXPECT_EQ(progress_line({12.34, kWords, held}, 100),
            "12.34 ms  active 2 of 6  given up 2  held 3  corrupt 1  starting 1");
  EXPECT_EQ(progress_line({}, 100), "0.000 ms  active 0 of 0");
}

TEST(ProgressLine, CountsTheCyclesWhereThereAreMany) {
  const std::vector<Word> words = {{0, State::kDown}, {9, State::kDead}, {9, State::kActive}};
  EXPECT_EQ(progress_line({12.34, words, {}, 12, 100}, 100), "12.34 ms  cycle 12/100  active 1 of 2  dead 1");
}

TEST(ProgressLine, KeepsToTheWidth) {
  std::vector<Word> words;
  for (unsigned i = 0; i < 256; ++i)
    words.push_back({1, static_cast<State>(i)});
  const std::vector<CpuIndex> held(17, 1);
  for (const int width : {40, 60, 80})
    EXPECT_LE(progress_line({123.4, words, held, 99'999, 100'000}, width).size(),
              static_cast<std::size_t>(width));
  EXPECT_TRUE(progress_line({123.4, words, held}, 60).ends_with(" ..."));
}

TEST(Progress, RedrawsInPlaceAndTakesItAway) {
  const Paper paper;
  std::size_t lines = 0;
  {
    Progress progress(paper.get(), {true, false, 80});
    for (int ms = 0; ms < 1000; ++ms)
      progress.update({static_cast<double>(ms), kWords});
    lines = grid_lines({true, false, 80}, {0, kWords}, 23).size();
  }
  const std::string text = paper.text();
  ASSERT_GT(lines, 2U);
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), 10 * (lines - 1));
  const std::string back = fmt::format("\r\033[{}A", lines - 1);
  std::size_t times = 0;
  for (std::size_t at = text.find(back); at != std::string::npos; at = text.find(back, at + 1))
    ++times;
  EXPECT_EQ(times, 9U + 1U) << "each time but the first, and at the end";
  EXPECT_TRUE(text.ends_with(back + "\033[J")) << "something is left behind";
  EXPECT_GT(text.rfind("\033[?7h"), text.rfind("\033[?7l")) << "wrapping stays off";
}

TEST(Progress, SaysLittleWhereThereIsNoTerminal) {
  const Paper paper;
  {
    Progress progress(paper.get(), {false, false, 80});
    for (int ms = 0; ms < 1999; ++ms)
      progress.update({static_cast<double>(ms), kWords});
    EXPECT_EQ(paper.text(), "");
    for (int ms = 2000; ms < 60'000; ++ms)
      progress.update({static_cast<double>(ms), kWords});
  }
  const std::string text = paper.text();
  EXPECT_EQ(static_cast<int>(std::count(text.begin(), text.end(), '\n')), 5); // 2, 4, 8, 16, 32 s
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(Progress, GoesByTheHostsClockWhereTimeIsVirtual) {
  const Paper paper;
  Progress progress(paper.get(), {false, false, 80});
  ProgressView view{3'600'000, kWords};
  view.host_ms = 1999;
  progress.update(view);
  EXPECT_EQ(paper.text(), "");
  view.host_ms = 2000;
  progress.update(view);
  EXPECT_NE(paper.text().find("3600000 ms"), std::string::npos) << paper.text();
}

TEST(Progress, NothingDrawnNothingCleared) {
  const Paper paper;
  { const Progress progress(paper.get(), {true, false, 80}); }
  EXPECT_EQ(paper.text(), "");
}

} // namespace
} // namespace reveille::vmm
