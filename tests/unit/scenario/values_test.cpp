// What a scenario says is what the rest of the vmm gets.
#include "vmm/scenario/load.hpp"

#include <gtest/gtest.h>

#include <array>

namespace reveille::vmm {
namespace {

using Cpus = std::vector<CpuIndex>;

TEST(scenario, defaults_are_the_contract_s) {
  const auto s = parse_scenario("[machine]\nvcpus = 8\n", "x.toml");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->machine.apic, ApicMode::kKernel);
  EXPECT_EQ(s->machine.x2apic, X2apic::kAuto);
  EXPECT_EQ(s->machine.threads_per_core, 1U);
  EXPECT_EQ(s->bringup.strategy, abi::Strategy::kParallel);
  EXPECT_EQ(s->bringup.wait, abi::Wait::kHalt);
  EXPECT_EQ(s->bringup.window, 0U);
  EXPECT_EQ(s->bringup.timeout_ms, 10'000);
  EXPECT_EQ(s->bringup.attempts, 1U);
  EXPECT_EQ(s->bringup.stop, abi::Stop::kInit);
  EXPECT_EQ(s->bringup.max_cpus, 8U);
  EXPECT_EQ(s->expect.online, Cpus({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(s->expect.failed.empty());
  EXPECT_FALSE(s->expect.within_ms);
  EXPECT_EQ(s->seed, 0U);
  EXPECT_EQ(parse_scenario("[machine]\nvcpus = 8\n", "x.toml", {}, 7)->seed, 7U);
}

TEST(scenario, every_value_arrives) {
  const auto s = parse_scenario(R"(
title = "t"
[machine]
vcpus = 8
memory_mib = 99
x2apic = "on"
threads_per_core = 4
[bringup]
strategy = "serial"
wait = "spin"
window = 3
timeout_ms = 2.5
attempts = 4
stop = "none"
max_cpus = 6
[expect]
online = [0, 1]
failed = { "2-4" = "timeout@alive", 5 = "error@step:x" }
within_ms = 12.5
attempts = { 1 = 1, "2-3" = 4 }
)",
                                "x.toml");
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->title, "t");
  EXPECT_EQ(s->machine.memory_mib, 99U);
  EXPECT_EQ(s->machine.x2apic, X2apic::kOn);
  EXPECT_EQ(s->machine.threads_per_core, 4U);
  EXPECT_EQ(s->bringup.strategy, abi::Strategy::kSerial);
  EXPECT_EQ(s->bringup.wait, abi::Wait::kSpin);
  EXPECT_EQ(s->bringup.window, 3U);
  EXPECT_EQ(s->bringup.timeout_ms, 2.5);
  EXPECT_EQ(s->bringup.attempts, 4U);
  EXPECT_EQ(s->bringup.stop, abi::Stop::kNone);
  EXPECT_EQ(s->bringup.max_cpus, 6U);
  EXPECT_EQ(s->expect.online, Cpus({0, 1}));
  EXPECT_EQ(s->expect.failed.size(), 4U);
  EXPECT_EQ(s->expect.failed.at(4), "timeout@alive");
  EXPECT_EQ(s->expect.failed.at(5), "error@step:x");
  EXPECT_EQ(s->expect.within_ms, 12.5);
  EXPECT_EQ(s->expect.attempts.at(1), 1U);
  EXPECT_EQ(s->expect.attempts.at(3), 4U);
}

FaultSpec fault(const std::string &keys) {
  const auto s = parse_scenario(
      "[machine]\nvcpus = 8\n[bringup]\nattempts = 3\nmax_cpus = 6\n[[fault]]\n" + keys, "x.toml");
  EXPECT_TRUE(s) << s.error().message;
  return s ? s->faults.at(0) : FaultSpec{};
}

TEST(scenario, faults_arrive) {
  const FaultSpec f = fault("cpu = [4, 1, 4]\nat = \"synced.released\"\naction = \"freeze\"\nduration_ms = "
                            "1.5\nattempt = 0\ncount = 2\n");
  EXPECT_EQ(f.cpus, Cpus({1, 4}));
  EXPECT_EQ(std::get<GuestPlace>(f.at.where).place, abi::Place::kSyncedReleased);
  EXPECT_EQ(f.action, Action::kFreeze);
  EXPECT_EQ(f.duration_ms, 1.5);
  EXPECT_EQ(f.attempt, 0U);
  EXPECT_EQ(f.count, 2U);
  EXPECT_FALSE(f.endless());
  EXPECT_EQ(fault("cpu = \"all\"\nat = \"alive\"\naction = \"stall\"\n").cpus, Cpus({1, 2, 3, 4, 5}));
  EXPECT_TRUE(fault("cpu = 1\nat = \"alive\"\naction = \"stall\"\n").endless());
  EXPECT_TRUE(fault("cpu = 1\nat = \"alive\"\naction = \"crash\"\n").endless());
}

TEST(scenario, every_place_arrives) {
  const std::array<std::string, 14> places{"alive",  "alive.released",  "started", "started.released",
                                           "synced", "synced.released", "online",  "online.released",
                                           "idle",   "idle.released",   "active",  "active.released",
                                           "kick",   "time:2.5"};
  for (std::size_t i = 0; i < places.size(); ++i) {
    const FaultSpec f = fault("cpu = 1\nat = \"" + places[i] + "\"\naction = \"delay\"\nduration_ms = 1\n");
    EXPECT_EQ(f.at.text, places[i]);
    if (i < 13) {
      EXPECT_EQ(std::get<GuestPlace>(f.at.where).place, static_cast<abi::Place>(i)) << places[i];
    } else {
      EXPECT_EQ(std::get<TimePlace>(f.at.where).ms, 2.5);
    }
  }
}

TEST(scenario, what_is_expected_is_derived_from_what_is_not) {
  const auto failed =
      parse_scenario("[machine]\nvcpus = 4\n[expect]\nfailed = { 2 = \"crash@idle\" }\n", "x.toml");
  EXPECT_EQ(failed->expect.online, Cpus({0, 1, 3}));
  const auto limited =
      parse_scenario("[machine]\nvcpus = 4\n[bringup]\nmax_cpus = 2\n[expect]\nonline = \"all\"\n", "x.toml");
  EXPECT_EQ(limited->expect.online, Cpus({0, 1}));
}

} // namespace
} // namespace reveille::vmm
