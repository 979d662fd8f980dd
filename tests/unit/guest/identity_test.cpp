#include "guest/smp/identity.hpp"

#include "core/abi/control_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <random>
#include <vector>

namespace reveille::guest::smp {
namespace {

using Numbers = std::vector<unsigned>;

/// The primaries of CPUs that have these APIC IDs, by CPU number.
template <class Ids> Numbers primaries_of(const Ids &ids, unsigned thread_bits) {
  std::vector<Identity> cpus;
  cpus.reserve(ids.size());
  for (const std::uint32_t id : ids)
    cpus.push_back({.apic_id = id});
  find_primaries(cpus, thread_bits);
  Numbers primaries;
  for (const Identity &cpu : cpus)
    primaries.push_back(cpu.primary);
  return primaries;
}

Numbers primaries(std::initializer_list<std::uint32_t> ids, unsigned thread_bits) {
  return primaries_of(ids, thread_bits);
}

TEST(Primaries, WithoutThreadsEachIsItsOwn) {
  EXPECT_EQ(primaries({0, 1, 2, 3}, 0), Numbers({0, 1, 2, 3}));
  EXPECT_EQ(primaries({7}, 3), Numbers({0}));
  EXPECT_EQ(primaries({}, 1), Numbers());
}

TEST(Primaries, OfEachWidthAndWithARest) {
  EXPECT_EQ(primaries({0, 1, 2, 3, 4, 5, 6}, 1), Numbers({0, 0, 2, 2, 4, 4, 6}));
  EXPECT_EQ(primaries({0, 1, 2, 3, 4, 5, 6}, 2), Numbers({0, 0, 0, 0, 4, 4, 4}));
  EXPECT_EQ(primaries({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 3), Numbers({0, 0, 0, 0, 0, 0, 0, 0, 8, 8}));
}

TEST(Primaries, ItIsTheNumberThatCountsNotTheId) {
  // The boot CPU is the second thread of its core, and the list has all second threads first.
  EXPECT_EQ(primaries({5, 1, 3, 0, 2, 4}, 1), Numbers({0, 1, 2, 1, 2, 0}));
  EXPECT_EQ(primaries({2, 9, 8, 1, 0, 3}, 2), Numbers({0, 1, 1, 0, 0, 0}));
}

TEST(Primaries, IdsMayHaveGaps) {
  EXPECT_EQ(primaries({0, 1, 2, 4, 5, 6, 16, 19}, 2), Numbers({0, 0, 0, 3, 3, 3, 6, 6}));
}

TEST(Primaries, WhoHasAnothersIdIsNobodysThread) {
  EXPECT_EQ(primaries({0, 1, 1, 0}, 1), Numbers({0, 0, 2, 3}));
  EXPECT_EQ(primaries({3, 3, 2, 3, 2}, 1), Numbers({0, 1, 0, 3, 4}));
  EXPECT_EQ(primaries({4, 4, 4}, 0), Numbers({0, 1, 2}));
}

TEST(Primaries, IdsBeyondAnyTableCountToo) {
  constexpr std::uint32_t kHighest = 0xfffffffe;
  EXPECT_EQ(primaries({0, 8193, kHighest, 8192, 255, 254, kHighest - 1}, 1), Numbers({0, 1, 2, 1, 4, 4, 6}));
  EXPECT_EQ(primaries({0x80000000, 0, 0x7fffffff}, 31), Numbers({0, 1, 1}));
}

/// By the definition, pair by pair.
Numbers by_definition(const std::vector<std::uint32_t> &ids, unsigned thread_bits) {
  Numbers primaries;
  for (unsigned cpu = 0; cpu < ids.size(); ++cpu) {
    const auto same_core = [&](std::uint32_t id) { return id >> thread_bits == ids[cpu] >> thread_bits; };
    const auto own = ids.begin() + cpu;
    const bool is_taken = std::find(ids.begin(), own, ids[cpu]) != own;
    const auto first = is_taken ? own : std::find_if(ids.begin(), own, same_core);
    primaries.push_back(static_cast<unsigned>(first - ids.begin()));
  }
  return primaries;
}

TEST(Primaries, OfRandomMachinesFollowTheDefinition) {
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::uint32_t> ids(1 + random() % (i % 10 == 0 ? abi::kMaxCpus : 40));
    const auto span = static_cast<std::uint32_t>(1 + ids.size() * (1 + random() % 4) / 2);
    std::ranges::generate(ids, [&] { return static_cast<std::uint32_t>(random() % span); });
    const unsigned thread_bits = static_cast<unsigned>(random() % 4);
    EXPECT_EQ(primaries_of(ids, thread_bits), by_definition(ids, thread_bits));
  }
}

TEST(Primaries, AFullListMayBeUpsideDown) {
  std::vector<std::uint32_t> ids(abi::kMaxCpus);
  std::iota(ids.rbegin(), ids.rend(), 0u);
  const Numbers found = primaries_of(ids, 1);
  for (unsigned cpu = 0; cpu < abi::kMaxCpus; ++cpu)
    EXPECT_EQ(found[cpu], cpu & ~1u);
}

} // namespace
} // namespace reveille::guest::smp
