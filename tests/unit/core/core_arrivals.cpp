#include "core/arrivals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace {

using Cell = std::atomic<std::uint64_t>;

template <unsigned kCapacity> struct Map {
  static constexpr unsigned kCpus = kCapacity;
  std::unique_ptr<reveille::core::Arrivals<Cell, kCapacity>> arrivals =
      std::make_unique<reveille::core::Arrivals<Cell, kCapacity>>();

  std::vector<unsigned> drain() {
    std::vector<unsigned> seen;
    arrivals->drain([&](unsigned cpu) { seen.push_back(cpu); });
    return seen;
  }
};

template <class T> class Arrivals : public testing::Test {};
// One, two and three levels, at their edges.
using Sizes = testing::Types<Map<1>, Map<2>, Map<64>, Map<65>, Map<1024>, Map<4096>, Map<4097>, Map<100000>>;
TYPED_TEST_SUITE(Arrivals, Sizes);

TYPED_TEST(Arrivals, StartEmpty) {
  TypeParam map;
  EXPECT_FALSE(map.arrivals->any());
  EXPECT_TRUE(map.drain().empty());
}

TYPED_TEST(Arrivals, EachCpuIsSeenOnceAndThenNoMore) {
  TypeParam map;
  for (unsigned cpu = 0; cpu < TypeParam::kCpus; cpu += 1 + cpu / 7) {
    EXPECT_TRUE(map.arrivals->raise(cpu));
    EXPECT_TRUE(map.arrivals->any());
    EXPECT_EQ(map.drain(), std::vector<unsigned>{cpu});
    EXPECT_FALSE(map.arrivals->any());
    EXPECT_TRUE(map.drain().empty());
  }
}

TYPED_TEST(Arrivals, AllAreSeenInOneDrain) {
  TypeParam map;
  for (unsigned cpu = 0; cpu < TypeParam::kCpus; ++cpu)
    EXPECT_EQ(map.arrivals->raise(cpu), cpu == 0) << "only the first finds the map empty";
  const std::vector<unsigned> seen = map.drain();
  ASSERT_EQ(seen.size(), TypeParam::kCpus);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_FALSE(map.arrivals->any());
}

TYPED_TEST(Arrivals, ARaiseIsTrueExactlyWhenTheMapWasEmpty) {
  TypeParam map;
  std::mt19937 random(1);
  std::set<unsigned> raised;
  for (int i = 0; i < 5000; ++i) {
    if (random() % 8 == 0) {
      const std::vector<unsigned> seen = map.drain();
      EXPECT_EQ(std::set<unsigned>(seen.begin(), seen.end()), raised);
      EXPECT_EQ(seen.size(), raised.size());
      raised.clear();
    } else {
      const unsigned cpu = static_cast<unsigned>(random() % TypeParam::kCpus);
      EXPECT_EQ(map.arrivals->raise(cpu), raised.empty());
      raised.insert(cpu);
      EXPECT_TRUE(map.arrivals->any());
    }
  }
}

TYPED_TEST(Arrivals, OneWhoArrivesDuringADrainIsSeenInThisOneOrTheNext) {
  TypeParam map;
  const unsigned last = TypeParam::kCpus - 1;
  EXPECT_TRUE(map.arrivals->raise(0));
  bool again = false;
  map.arrivals->drain([&](unsigned cpu) {
    if (cpu == 0 && !again) {
      again = true;
      EXPECT_TRUE(map.arrivals->raise(last)) << "the map had been emptied: somebody must wake the CP";
    }
  });
  EXPECT_EQ(map.drain(), std::vector<unsigned>{last});
}

} // namespace
