// What the machine sees of a start on the spot: what one that is refused touches, and what one that
// claims does not find.
#include "tests/unit/sim/runs.hpp"
#include "tests/unit/sim/toy.hpp"

#include "vmm/scenario/places.hpp"
#include "vmm/sim/guest.hpp"

namespace reveille::vmm::sim {
namespace {

class NoListener final : public Listener {
public:
  void has_decided(CpuIndex, std::uint32_t, bool) override {}
};

/// A guest whose control side never runs: the test does what it would do.
struct Still {
  explicit Still(CpuIndex cpus) : scenario(scenario_of(cpus)), machine(cpus, guest, host) {}

  /// Up to the kick of CPU 1, with area 5.
  void kick(std::uint32_t attempt) {
    control.publish_attempt({1, attempt, 5}, 1, 1);
    control.word(1).store(core::Word{attempt, core::State::kKicked, 0}.bits());
    control.kick(1, attempt);
  }
  Software::Begun begin(CpuIndex cpu, std::uint32_t attempt) {
    return guest.begin(cpu, Guest::kFirstPage + attempt % abi::kPages);
  }

  Scenario scenario;
  Roster roster{scenario};
  NoListener listener;
  ToyHost host;
  Guest guest{scenario, roster, machine, listener};
  Machine machine;
  ControlEnvironment control{guest, 0};
};

TEST(Witness, AClaimThatFindsWhatItWasKickedWithIsNothingToTell) {
  Still still(3);
  still.kick(1);
  EXPECT_EQ(still.begin(1, 1), Software::Begun::kRuns);
  EXPECT_TRUE(still.guest.take_not_seen().empty());
  EXPECT_TRUE(still.guest.take_refused().empty());
}

TEST(Witness, SeesWhatIsWrittenOnlyAfterTheKick) {
  const auto told = [](core::StepTarget target, std::uint32_t ordinal, std::uint32_t cycle) {
    Still still(3);
    still.kick(1);
    still.control.publish_attempt(target, ordinal, cycle);
    EXPECT_EQ(still.begin(1, 1), Software::Begun::kRuns);
    const auto seen = still.guest.take_not_seen();
    return seen.size() == 1 && seen[0].cpu == 1 && seen[0].attempt == 1 ? seen[0].what : "";
  };
  EXPECT_EQ(told({1, 1, 6}, 1, 1), "area 5 was handed over with the kick, and 6 was found at the claim");
  EXPECT_EQ(told({1, 1, 5}, 2, 1), "try 1 was handed over with the kick, and 2 was found at the claim");
  EXPECT_EQ(told({1, 1, 5}, 1, 2), "cycle 1 was handed over with the kick, and 2 was found at the claim");
  EXPECT_EQ(told({1, 1, 5}, 1, 1), "");
}

TEST(Witness, ARefusedStartIsToldAndHasTouchedNothing) {
  Still still(3);
  still.kick(1);
  EXPECT_EQ(still.begin(1, 2), Software::Begun::kHalts); // another attempt's page
  EXPECT_EQ(still.begin(2, 1), Software::Begun::kHalts); // never kicked
  const auto refused = still.guest.take_refused();
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].cpu, 1u);
  EXPECT_EQ(refused[1].cpu, 2u);
  EXPECT_EQ(refused[0].touched + refused[1].touched, "");
}

TEST(Witness, SeesWhateverAStartTouches) {
  Still still(3);
  const auto after = [&](auto &&touch) {
    const Untouched before(still.guest, 1);
    EXPECT_EQ(before.what_changed(), "");
    touch();
    return before.what_changed();
  };
  EXPECT_EQ(after([&] { still.control.word(1).store(7); }), "its own slot");
  EXPECT_EQ(after([&] { still.control.lease(1).store(7); }), "its own slot");
  EXPECT_EQ(after([&] { still.control.tsc_ap(1).mark.store(7); }), "its own slot");
  EXPECT_EQ(after([&] { still.control.publish_attempt({1, 1, 9}, 1, 1); }), "its own slot");
  EXPECT_EQ(after([&] { ApEnvironment(still.guest, 1).log(abi::EventKind::kClaimFailed, 1, 1, 0, 0); }),
            "its own slot");
  EXPECT_EQ(after([&] { still.control.word(2).store(7); }), "the slot of another CPU");
  EXPECT_EQ(after([&] { static_cast<void>(ApEnvironment(still.guest, 1).arrivals().raise(1)); }),
            "the arrival map");
  EXPECT_EQ(after([&] { static_cast<void>(still.control.take_area({1, 1, 0})); }), "the pool of areas");
}

TEST(Witness, OfVeryManyCpusLooksAtTheOneThatStarts) {
  Still still(Untouched::kMostLookedAt + 1);
  const Untouched before(still.guest, 1);
  still.control.word(2).store(7);
  EXPECT_EQ(before.what_changed(), "");
  still.control.word(1).store(7);
  EXPECT_EQ(before.what_changed(), "its own slot");
}

FaultSpec delivery(const std::string &at, Action action, CpuIndex cpu) {
  FaultSpec spec;
  spec.cpus = {cpu};
  spec.at = parse_place(at)->place;
  spec.action = action;
  return spec;
}

TEST(Witness, AStartOnAnotherAttemptsPageIsRefusedInAWholeRun) {
  Scenario s = scenario_of(4);
  for (const char *at : {"sipi", "sipi2"}) {
    s.faults.push_back(delivery(at, Action::kWrongVector, 3));
    s.faults.back().vector = Guest::kFirstPage + 5;
  }
  s.expect.failed[3] = "timeout@alive";
  std::erase(s.expect.online, 3u);
  const Ran ran = run(s);
  expect_sound(ran);
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
  ASSERT_EQ(ran.seen.refused.size(), 1u); // the second SIPI finds it started
  EXPECT_EQ(ran.seen.refused[0].cpu, 3u);
}

TEST(Witness, WhatReachesATwinIsRefused) {
  Scenario s = scenario_of(4);
  FaultSpec twin = delivery("firmware", Action::kSameId, 2);
  twin.to = 1;
  s.faults.push_back(twin);
  for (const char *at : {"init", "sipi", "sipi2"}) {
    s.faults.push_back(delivery(at, Action::kRedirect, 3));
    s.faults.back().to = 2;
  }
  const Ran ran = run(s);
  expect_sound(ran);
  EXPECT_EQ(ran.outcome(2), "timeout@alive");
  ASSERT_EQ(ran.seen.refused.size(), 1u);
  EXPECT_EQ(ran.seen.refused[0].cpu, 2u);
}

} // namespace
} // namespace reveille::vmm::sim
