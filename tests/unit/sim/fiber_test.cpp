// Stacks and the fibers that run on them.
#include "vmm/sim/fiber.hpp"
#include "vmm/sim/stacks.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

namespace reveille::vmm::sim {
namespace {

constexpr std::size_t kSize = 128 << 10;

struct Story {
  Fiber fiber;
  std::string told;
};

TEST(Fiber, RunsUntilItSuspendsAndGoesOnWhereItWas) {
  Stacks stacks(kSize);
  Story story;
  story.fiber.start(
      stacks.take(),
      [](void *argument) {
        auto *s = static_cast<Story *>(argument);
        for (const char *word : {"a", "b", "c"}) {
          s->told += word;
          s->fiber.suspend();
        }
        s->told += "end";
      },
      &story);
  for (const char *so_far : {"a", "ab", "abc", "abcend"}) {
    ASSERT_TRUE(story.fiber.is_live());
    story.fiber.resume();
    EXPECT_EQ(story.told, so_far);
  }
  EXPECT_FALSE(story.fiber.is_live());
}

TEST(Fiber, TwoOfThemTakeTurns) {
  Stacks stacks(kSize);
  struct Player {
    Fiber fiber;
    std::string *told = nullptr;
    char letter = ' ';
  } players[2];
  std::string told;
  for (int i = 0; i < 2; ++i) {
    players[i].told = &told;
    players[i].letter = static_cast<char>('a' + i);
    players[i].fiber.start(
        stacks.take(),
        [](void *argument) {
          auto *p = static_cast<Player *>(argument);
          for (;;) {
            *p->told += p->letter;
            p->fiber.suspend();
          }
        },
        &players[i]);
  }
  for (int round = 0; round < 3; ++round)
    for (Player &p : players)
      p.fiber.resume();
  EXPECT_EQ(told, "ababab");
}

TEST(Fiber, IsThrownAwayAndItsStackUsedAnew) {
  Stacks stacks(kSize);
  Story story;
  for (int i = 0; i < 1000; ++i) {
    story.fiber.start(
        stacks.take(),
        [](void *argument) {
          auto *s = static_cast<Story *>(argument);
          volatile char deep[8 << 10];
          std::memset(const_cast<char *>(deep), 1, sizeof(deep));
          s->told = "suspended";
          s->fiber.suspend();
          s->told = "resumed";
        },
        &story);
    story.fiber.resume();
    stacks.put(story.fiber.discard());
  }
  EXPECT_EQ(story.told, "suspended");
  EXPECT_FALSE(story.fiber.is_live());
  EXPECT_EQ(stacks.most_in_use(), 1u);
  EXPECT_EQ(stacks.in_use(), 0u);
}

TEST(Stacks, NobodySharesOne) {
  Stacks stacks(kSize);
  std::set<std::byte *> taken;
  for (int i = 0; i < 1000; ++i) {
    const Stack stack = stacks.take();
    EXPECT_EQ(stack.size, kSize);
    EXPECT_TRUE(taken.insert(stack.low).second);
  }
  for (auto it = taken.begin(); std::next(it) != taken.end(); ++it)
    EXPECT_GE(*std::next(it) - *it, static_cast<std::ptrdiff_t>(kSize));
  EXPECT_EQ(stacks.most_in_use(), 1000u);
}

TEST(Stacks, ManyMoreThanThereCanBeMappings) {
  Stacks stacks(kSize);
  for (int i = 0; i < 40'000; ++i)
    *(stacks.take().low + kSize - 1) = std::byte{1}; // its own page, and that is real
  EXPECT_EQ(stacks.in_use(), 40'000u);
}

TEST(Stacks, CanaryTellsOfAnOverflow) {
  Stacks stacks(kSize);
  const Stack stack = stacks.take();
  EXPECT_TRUE(Stacks::is_whole(stack));
  std::memset(stack.low + Stacks::kCanaryBytes, 1, kSize - Stacks::kCanaryBytes); // all of it used
  EXPECT_TRUE(Stacks::is_whole(stack));
  stack.low[Stacks::kCanaryBytes - 1] = std::byte{1};
  EXPECT_FALSE(Stacks::is_whole(stack));
}

} // namespace
} // namespace reveille::vmm::sim
