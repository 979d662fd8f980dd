// What a scenario says is what the rest of the vmm gets.
#include "core/protocol/guest_steps.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>
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
  EXPECT_FALSE(s->bringup.primary_threads_first);
  EXPECT_EQ(s->bringup.cycles, 1U);
  EXPECT_EQ(s->bringup.max_cpus, 8U);
  EXPECT_EQ(s->expect.online, Cpus({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(s->expect.failed.empty());
  EXPECT_FALSE(s->expect.within_ms);
  EXPECT_EQ(s->seed, 0U);
  EXPECT_EQ(parse_scenario("[machine]\nvcpus = 8\n", "x.toml", {{}, 7})->seed, 7U);
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
primary_threads_first = true
cycles = 100000
max_cpus = 6
[expect]
online = [0, 1]
failed = { "2-4" = "timeout@alive", 5 = "error@step:worker" }
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
  EXPECT_TRUE(s->bringup.primary_threads_first);
  EXPECT_EQ(s->bringup.cycles, 100'000U);
  EXPECT_EQ(s->bringup.max_cpus, 6U);
  EXPECT_EQ(s->expect.online, Cpus({0, 1}));
  EXPECT_EQ(s->expect.failed.size(), 4U);
  EXPECT_EQ(s->expect.failed.at(4), "timeout@alive");
  EXPECT_EQ(s->expect.failed.at(5), "error@step:worker");
  EXPECT_EQ(s->expect.within_ms, 12.5);
  EXPECT_EQ(s->expect.attempts.at(1), 1U);
  EXPECT_EQ(s->expect.attempts.at(3), 4U);
}

FaultSpec fault(const std::string &keys) {
  const auto s = parse_scenario(
      "[machine]\nvcpus = 8\n[bringup]\nattempts = 3\nmax_cpus = 6\ncycles = 4\n[[fault]]\n" + keys,
      "x.toml");
  EXPECT_TRUE(s) << s.error().message;
  return s ? s->faults.at(0) : FaultSpec{};
}

TEST(scenario, faults_arrive) {
  const FaultSpec f = fault("cpu = [4, 1, 4]\nat = \"synced.released\"\naction = \"freeze\"\nduration_ms = "
                            "1.5\nattempt = 0\ncycle = 4\ncount = 2\n");
  EXPECT_EQ(f.cpus, Cpus({1, 4}));
  EXPECT_EQ(std::get<GuestPlace>(f.at.where).place, abi::Place::kSyncedReleased);
  EXPECT_EQ(f.action, Action::kFreeze);
  EXPECT_EQ(f.duration_ms, 1.5);
  EXPECT_EQ(f.attempt, 0U);
  EXPECT_EQ(f.cycle, 4U);
  EXPECT_EQ(f.count, 2U);
  EXPECT_FALSE(f.endless());
  EXPECT_EQ(fault("cpu = \"all\"\nat = \"alive\"\naction = \"stall\"\n").cpus, Cpus({1, 2, 3, 4, 5}));
  EXPECT_TRUE(fault("cpu = 1\nat = \"alive\"\naction = \"stall\"\n").endless());
  EXPECT_TRUE(fault("cpu = 1\nat = \"alive\"\naction = \"crash\"\n").endless());
  const FaultSpec fails = fault("cpu = 1\nat = \"step:tsc\"\naction = \"fail\"\n");
  EXPECT_EQ(fails.action, Action::kFail);
  EXPECT_EQ(fails.error, -11);
  EXPECT_FALSE(fails.endless());
  EXPECT_EQ(fault("cpu = 1\nat = \"step:tsc\"\naction = \"fail\"\nerror = -1\n").error, -1);
}

TEST(scenario, every_place_arrives) {
  const std::array<std::string, 16> places{"alive",  "alive.released",  "started", "started.released",
                                           "synced", "synced.released", "online",  "online.released",
                                           "idle",   "idle.released",   "active",  "active.released",
                                           "kick",   "time:2.5",        "dying",   "dead"};
  for (std::size_t i = 0; i < places.size(); ++i) {
    const FaultSpec f = fault("cpu = 1\nat = \"" + places[i] + "\"\naction = \"delay\"\nduration_ms = 1\n");
    EXPECT_EQ(f.at.text, places[i]);
    if (places[i].starts_with("time")) {
      EXPECT_EQ(std::get<TimePlace>(f.at.where).ms, 2.5);
    } else {
      EXPECT_EQ(std::get<GuestPlace>(f.at.where).place, static_cast<abi::Place>(i)) << places[i];
    }
  }
}

TEST(scenario, every_step_has_a_place_before_and_after) {
  for (unsigned i = 0; i < protocol::kGuestSteps.size(); ++i)
    for (const bool done : {false, true}) {
      const std::string at = fmt::format("step:{}{}", protocol::kGuestSteps[i].name, done ? ".done" : "");
      const FaultSpec f = fault("cpu = 1\nat = \"" + at + "\"\naction = \"delay\"\nduration_ms = 1\n");
      EXPECT_EQ(std::get<GuestPlace>(f.at.where).place, abi::step_place(i, done)) << at;
      EXPECT_EQ(is_on_control_cpu(f.at), protocol::kGuestSteps[i].section == protocol::Section::kPrepare)
          << at;
    }
}

TEST(scenario, places_stand_in_the_order_in_which_a_cpu_passes_them) {
  const std::array<std::string, 27> way{"step:area",
                                        "step:area.done",
                                        "kick",
                                        "alive",
                                        "alive.released",
                                        "step:cpu-tables",
                                        "step:cpu-tables.done",
                                        "step:lapic",
                                        "step:lapic.done",
                                        "step:timer",
                                        "step:timer.done",
                                        "step:tsc",
                                        "step:tsc.done",
                                        "started",
                                        "started.released",
                                        "synced",
                                        "synced.released",
                                        "online",
                                        "online.released",
                                        "idle",
                                        "idle.released",
                                        "step:worker",
                                        "step:worker.done",
                                        "active",
                                        "active.released",
                                        "dying",
                                        "dead"};
  unsigned last = 0;
  for (const std::string &name : way) {
    const FaultSpec f = fault("cpu = 1\nat = \"" + name + "\"\naction = \"delay\"\nduration_ms = 1\n");
    const unsigned order = order_of(std::get<GuestPlace>(f.at.where).place);
    EXPECT_GT(order, last) << name;
    last = order;
  }
}

TEST(scenario, a_backend_may_take_more_vcpus) {
  const std::string many = "[machine]\nvcpus = 100000\n[bringup]\nwindow = 5000\nmax_cpus = 99999\n";
  const auto refused = parse_scenario(many, "x.toml");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(
      refused.error().message.starts_with("x.toml:2:9: machine.vcpus: 100000 is out of range: 1..1024"))
      << refused.error().message;
  LoadOptions options;
  options.backend = Backend::kSim;
  const auto taken = parse_scenario(many, "x.toml", options);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->machine.vcpus, 100'000U);
  EXPECT_EQ(taken->bringup.window, 5000U);
  EXPECT_EQ(taken->bringup.max_cpus, 99'999U);
  EXPECT_EQ(taken->expect.online.size(), 99'999U);
  const auto too_many = parse_scenario("[machine]\nvcpus = 1048577\n", "x.toml", options);
  ASSERT_FALSE(too_many);
  EXPECT_TRUE(too_many.error().message.ends_with("1048577 is out of range: 1..1048576"))
      << too_many.error().message;
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
