#include "core/claim.hpp"

#include "core/abi/control_page.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace {

using reveille::abi::kPages;
using reveille::abi::kStateCount;
using reveille::abi::State;
using reveille::abi::Word;
using Cell = std::atomic<std::uint64_t>;

TEST(Claim, IsWonOnThePageOfTheAttempt) {
  for (const std::uint32_t attempt : {1U, 15U, 16U, 17U, 0xfffffffeU}) {
    Cell cell = Word{attempt, State::kKicked, 0}.bits();
    const auto claim = reveille::core::claim(cell, attempt % kPages, kPages);
    EXPECT_TRUE(claim.won);
    EXPECT_EQ(claim.word, (Word{attempt, State::kClaimed, 0}));
    EXPECT_EQ(cell.load(), claim.word.bits());
  }
}

TEST(Claim, IsLostOnEveryOtherPageAndTouchesNothing) {
  for (std::uint32_t page = 0; page < kPages; ++page) {
    const Word kicked{19, State::kKicked, 0};
    Cell cell = kicked.bits();
    if (page == 19 % kPages)
      continue;
    const auto claim = reveille::core::claim(cell, page, kPages);
    EXPECT_FALSE(claim.won);
    EXPECT_EQ(claim.word, kicked);
    EXPECT_EQ(cell.load(), kicked.bits());
  }
}

TEST(Claim, IsLostInEveryOtherState) {
  for (unsigned i = 0; i < kStateCount; ++i) {
    const Word word{3, static_cast<State>(i), 0};
    if (word.state == State::kKicked)
      continue;
    Cell cell = word.bits();
    const auto claim = reveille::core::claim(cell, 3, kPages);
    EXPECT_FALSE(claim.won);
    EXPECT_EQ(claim.word, word);
    EXPECT_EQ(cell.load(), word.bits());
  }
}

TEST(Claim, IsWonOnceOfManyStarts) {
  Cell cell = Word{2, State::kKicked, 0}.bits();
  EXPECT_TRUE(reveille::core::claim(cell, 2, kPages).won);
  EXPECT_FALSE(reveille::core::claim(cell, 2, kPages).won);
}

/// A cell whose value changes between looking and swapping.
struct Slippery {
  Word at_load, at_swap;
  std::uint64_t load(std::memory_order) { return at_load.bits(); }
  void store(std::uint64_t, std::memory_order) {}
  std::uint64_t exchange(std::uint64_t, std::memory_order) { return 0; }
  std::uint64_t fetch_or(std::uint64_t, std::memory_order) { return 0; }
  bool compare_exchange_strong(std::uint64_t &expected, std::uint64_t, std::memory_order, std::memory_order) {
    EXPECT_EQ(expected, at_load.bits());
    expected = at_swap.bits();
    return false;
  }
};

TEST(Claim, SaysWhatWasInTheWay) {
  Slippery cell{{4, State::kKicked, 0}, {4, State::kAbandoned, 0}};
  const auto claim = reveille::core::claim(cell, 4, kPages);
  EXPECT_FALSE(claim.won);
  EXPECT_EQ(claim.word, cell.at_swap);
}

} // namespace
