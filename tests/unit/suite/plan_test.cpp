#include "vmm/suite/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace reveille::vmm {
namespace {

using Runs = std::vector<std::pair<std::size_t, std::uint64_t>>;

Runs runs_of(const Plan &plan) {
  Runs runs;
  for (std::size_t i = 0; i < plan.size(); ++i)
    runs.emplace_back(plan.at(i).file, plan.at(i).seed);
  return runs;
}

TEST(SuitePlan, IsInTheOrderOfTheFiles) {
  EXPECT_EQ(runs_of(Plan(3, 7, 1, {})), (Runs{{0, 7}, {1, 7}, {2, 7}}));
}

TEST(SuitePlan, RepeatsWithSeedsThatFollow) {
  EXPECT_EQ(runs_of(Plan(2, 5, 3, {})), (Runs{{0, 5}, {0, 6}, {0, 7}, {1, 5}, {1, 6}, {1, 7}}));
}

TEST(SuitePlan, AShardHasEveryNthRun) {
  EXPECT_EQ(runs_of(Plan(5, 0, 1, {2, 2})), (Runs{{1, 0}, {3, 0}}));
  EXPECT_EQ(runs_of(Plan(2, 0, 3, {1, 4})), (Runs{{0, 0}, {1, 1}}));
  EXPECT_EQ(Plan(3, 0, 1, {5, 8}).size(), 0U);
}

TEST(SuitePlan, ShardsAreDisjointAndComplete) {
  for (const std::size_t files : {1U, 4U, 7U})
    for (const std::uint64_t repeat : {1U, 2U, 5U})
      for (std::uint64_t of = 1; of <= 9; ++of) {
        Runs all;
        std::vector<std::size_t> per_file(files);
        for (std::uint64_t index = 1; index <= of; ++index) {
          const Plan plan(files, 3, repeat, {index, of});
          const Runs part = runs_of(plan);
          all.insert(all.end(), part.begin(), part.end());
          for (std::size_t file = 0; file < files; ++file) {
            EXPECT_EQ(plan.runs_of(file), static_cast<std::size_t>(std::ranges::count(
                                              part, file, &std::pair<std::size_t, std::uint64_t>::first)));
            per_file[file] += plan.runs_of(file);
          }
        }
        std::ranges::sort(all);
        EXPECT_EQ(all, runs_of(Plan(files, 3, repeat, {}))) << files << " x " << repeat << " / " << of;
        EXPECT_EQ(per_file, std::vector<std::size_t>(files, repeat));
      }
}

TEST(SuitePlan, IsNotHeldInMemory) {
  const Plan plan(1000, 0, 1'000'000, {999'999, 1'000'000});
  EXPECT_EQ(plan.size(), 1000U);
  EXPECT_EQ(plan.at(999).file, 999U);
  EXPECT_EQ(plan.at(999).seed, 999'998U);
}

} // namespace
} // namespace reveille::vmm
