#include "core/abi/word.hpp"

#include <gtest/gtest.h>

namespace {

using reveille::abi::kStateCount;
using reveille::abi::State;
using reveille::abi::Word;

TEST(Word, IsPackedAsTheHostAndTheGuestRead) {
  const Word word{0x89abcdef, State::kAbandoned, 0xfedc};
  EXPECT_EQ(word.bits(), 0x89abcdef'0014'fedcULL);
  EXPECT_EQ((Word{0, State::kDown, 0}.bits()), 0U);
}

TEST(Word, ComesApartAsItWasPutTogether) {
  for (const std::uint32_t attempt : {0U, 1U, 0x7fffffffU, 0xffffffffU})
    for (unsigned state = 0; state < kStateCount; ++state)
      for (const std::uint16_t step : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{0xffff}}) {
        const Word word{attempt, static_cast<State>(state), step};
        EXPECT_EQ(Word::from(word.bits()), word);
        EXPECT_TRUE(Word::is_valid(word.bits()));
      }
}

TEST(Word, GrowsWithTheAttemptFirstThenTheStateThenTheStep) {
  EXPECT_LT((Word{1, State::kParked, 0xffff}.bits()), (Word{2, State::kDown, 0}.bits()));
  EXPECT_LT((Word{1, State::kKicked, 0xffff}.bits()), (Word{1, State::kClaimed, 0}.bits()));
  EXPECT_LT((Word{1, State::kStarting, 1}.bits()), (Word{1, State::kStarting, 2}.bits()));
}

TEST(Word, OfAStateThatDoesNotExistIsNotValid) {
  EXPECT_FALSE(Word::is_valid(std::uint64_t{kStateCount} << 16));
  EXPECT_FALSE(Word::is_valid(std::uint64_t{0x0100} << 16)) << "a stray bit above the state";
  EXPECT_FALSE(Word::is_valid(std::uint64_t{0x8003} << 16));
  EXPECT_TRUE(Word::is_valid(std::uint64_t{kStateCount - 1} << 16));
}

TEST(Word, WithAnotherStateKeepsTheAttemptAndDropsTheStep) {
  EXPECT_EQ((Word{7, State::kStarting, 3}.with(State::kStarted)), (Word{7, State::kStarted, 0}));
  EXPECT_EQ((Word{7, State::kStarting, 3}.with(State::kStarting, 4)), (Word{7, State::kStarting, 4}));
}

} // namespace
