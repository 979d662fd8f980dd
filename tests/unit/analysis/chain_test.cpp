// The chains of runs made by hand: sound ones, and such as no guest of ours would show.
#include "tests/unit/analysis/whole_chain.hpp"
#include "tests/unit/judge/made_run.hpp"

#include <random>

namespace reveille::vmm {
namespace {

/// A run that begins as the guest's do.
MadeRun begun(CpuIndex cpus) {
  MadeRun run(cpus);
  run.note(0, EventKind::kZero, 0, 0);
  run.note(0, EventKind::kCycle, 0, 0, 1);
  return run;
}

Chain chain_of(const MadeRun &run) {
  Chain chain = critical_chain(run.scenario, run.seen, run.judged());
  expect_whole(chain);
  return chain;
}

TEST(Chain, GoesFromOneCpuToTheOneBefore) {
  MadeRun run = begun(3);
  run.up(1);
  run.up(2);
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(chain.end, ChainEnd::kActive);
  EXPECT_EQ(chain.total_us, run.judged().bringup_us);
  EXPECT_EQ(chain.links.front().from_us, 0);
  EXPECT_EQ(chain.links.back().kind, LinkKind::kActive);
  EXPECT_EQ(chain.links.back().cpu, 2U);
  const ChainLink seen = first_of(chain, LinkKind::kRelease, 1);
  EXPECT_EQ(link_text(seen, {}), "waited for its release at alive");
  const auto up = std::ranges::find_if(chain.links, [](const ChainLink &link) {
    return link.cpu == 1 && link.point == protocol::Point::kActive;
  });
  ASSERT_NE(up, chain.links.end()) << "CPU 2 was prepared when CPU 1 had been seen to be up";
  EXPECT_EQ(link_text(*up, {}), "was active, and waited for that to be seen");
  EXPECT_EQ(first_of(chain, LinkKind::kPrepare, 0).with, 1U);
}

TEST(Chain, StaysWithTheControlCpuWhileItIsBusy) {
  MadeRun run = begun(3);
  run.kick(1, 1);
  run.climb(1, 1, State::kAlive); // and then waits, while CPU 0 has another to kick
  run.kick(2, 1);
  run.climb(2, 1, State::kAlive);
  run.move(0, 1, {1, State::kStarting, 0});
  run.decided();
  run.seen.decided_tsc = 0; // it never was
  run.seen.cpus[0].events.pop_back();
  const Chain chain = chain_of(run);
  EXPECT_EQ(chain.end, ChainEnd::kLastEvent);
  EXPECT_EQ(count_of(chain, LinkKind::kRelease, 1), 0U);
  EXPECT_EQ(chain.links.back().kind, LinkKind::kKick) << "CPU 1 waited for the kick of CPU 2";
  EXPECT_EQ(chain.links.back().with, 2U);
}

TEST(Chain, OfAFailureEndsWithTheDecision) {
  MadeRun run = begun(3);
  run.up(1);
  run.kick(2, 1);
  run.climb(2, 1, State::kStarting);
  run.give_up(2, 1, 100'000);
  run.fail(2, 1, State::kStarting);
  run.expect_failed(2, "timeout@started");
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(chain.end, ChainEnd::kDecided);
  EXPECT_EQ(chain.total_us, run.judged().decided_us);
  const ChainLink wait = first_of(chain, LinkKind::kTimeout, 2);
  EXPECT_EQ(link_text(wait, {}), "did not reach started in its time");
  EXPECT_GE(wait.us(), 100'000);
  EXPECT_EQ(count_of(chain, LinkKind::kAlive, 2), 1U) << "what came before its last turn is told too";
}

TEST(Chain, OfARetryGoesBackToTheAttemptBefore) {
  MadeRun run = begun(2);
  run.scenario.bringup.attempts = 2;
  run.kick(1, 1);
  run.give_up(1, 1, 100'000);
  run.up_again(1, 2);
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(chain.end, ChainEnd::kActive);
  EXPECT_EQ(link_text(first_of(chain, LinkKind::kTimeout, 1), {}), "did not reach alive in its time");
  EXPECT_EQ(count_of(chain, LinkKind::kPrepare, 0), 2U);
}

TEST(Chain, AControlCpuThatComesLateToATimeoutWasBusy) {
  MadeRun run = begun(3);
  run.kick(1, 1);
  run.now += 300'000'000; // three times its time
  run.kick(2, 1);
  run.give_up(1, 1, 0);
  run.fail(1, 1, State::kKicked);
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(count_of(chain, LinkKind::kTimeout, 1), 0U);
  EXPECT_GE(first_of(chain, LinkKind::kKick, 0).us(), 300'000);
}

TEST(Chain, TakesOutWhatFaultsHeld) {
  MadeRun run = begun(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  const double began = run.seen.us(run.now);
  run.now += 50'000'000;
  run.climb(1, 1, State::kStarted);
  run.fault(Action::kDelay, abi::Place::kAliveReleased, "alive.released", 1, HoldEnd::kReleased);
  Firing &firing = run.seen.firings.back();
  firing.vcpu = 1;
  firing.began_us = began;
  firing.ended_us = began + 49'000;
  run.scenario.faults.back().duration_ms = 49;
  const Chain chain = chain_of(run);
  const ChainLink held = first_of(chain, LinkKind::kHeld, 1);
  EXPECT_NEAR(held.us(), 49'000, 1);
  EXPECT_EQ(link_text(held, {}), "was held by fault 0");
  EXPECT_LT(first_of(chain, LinkKind::kStarting, 1).us(), 1'500);
}

TEST(Chain, GoesByTheControlCpusClockWhereTheSkewIsKnown) {
  MadeRun run = begun(3);
  run.up(1);
  run.up(2);
  run.decided();
  constexpr std::uint64_t kAhead = 500'000;
  for (Event &event : run.seen.cpus[1].events)
    event.tsc += kAhead;
  for (Event &event : run.seen.cpus[0].events)
    if (event.kind == EventKind::kTscServed && event.cpu == 1)
      event.a = kAhead;
  for (const LinkKind kind : {LinkKind::kAlive, LinkKind::kRelease, LinkKind::kResume})
    EXPECT_LT(first_of(chain_of(run), kind, 1).us(), 10) << name(kind);
}

TEST(Chain, GoesThroughAllCycles) {
  MadeRun run = begun(2);
  run.scenario.bringup.cycles = 2;
  run.up(1);
  run.down(1, 1);
  run.note(0, EventKind::kCycle, 0, 0, 2);
  run.up_again(1, 2);
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(chain.cycles, 2U);
  EXPECT_EQ(count_of(chain, LinkKind::kActive, 1), 2U);
  EXPECT_GE(count_of(chain, LinkKind::kUndo, 1), 1U);
  EXPECT_EQ(count_of(chain, LinkKind::kUnknown, 0), 0U);
}

TEST(Chain, SaysWhereAnEarlierCycleIsNotKept) {
  MadeRun run = begun(2);
  run.scenario.bringup.cycles = 3;
  run.up(1);
  run.down(1, 1);
  for (CpuObservation &cpu : run.seen.cpus)
    cpu.events.clear();
  run.note(0, EventKind::kCycle, 0, 0, 2);
  const double begun_us = run.seen.us(run.now);
  run.up_again(1, 2);
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(chain.cycles, 2U);
  EXPECT_EQ(chain.links.front().kind, LinkKind::kEarlier);
  EXPECT_EQ(chain.links.front().to_us, begun_us);
}

TEST(Chain, TellsOfOneThatDidNotGoDown) {
  MadeRun run = begun(2);
  run.scenario.bringup.cycles = 2;
  run.up(1);
  run.take_down(1, 1);
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kUndoOnline);
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(link_text(first_of(chain, LinkKind::kTimeout, 1), {}), "did not go down in its time");
}

TEST(Chain, GoesThroughTheControlCpuThatAnApWasLeftTo) {
  MadeRun run = begun(3);
  run.up(1);
  run.note(0, EventKind::kDelegated, 2, 0, 1);
  run.step(1, 2, 1, Section::kPrepare, 0);
  run.move(1, 2, {1, State::kKicked, 0});
  run.note(1, EventKind::kKick, 2, 1, 1, 201);
  run.move(2, 2, {1, State::kClaimed, 0});
  run.move(2, 2, {1, State::kAlive, 0});
  run.move(1, 2, {1, State::kStarting, 0});
  run.note(1, EventKind::kFailed, 2, 1, Word{1, State::kStarting, 0}.bits(),
           abi::failed(abi::FailReason::kError, 2, 0, -5));
  run.note(0, EventKind::kReturned, 2, 0, 1);
  run.decided();
  const Chain chain = chain_of(run);
  EXPECT_EQ(link_text(first_of(chain, LinkKind::kReturn, 1), {}),
            "had given CPU 2 back, and waited for that to be seen");
  EXPECT_EQ(link_text(first_of(chain, LinkKind::kDelegate, 1), {}), "was left CPU 2, and took it up");
  EXPECT_EQ(count_of(chain, LinkKind::kRelease, 2), 1U);
  EXPECT_EQ(count_of(chain, LinkKind::kActive, 1), 1U) << "CPU 1 had to be up first";
  EXPECT_EQ(count_of(chain, LinkKind::kUnknown, 0), 0U);
}

TEST(Chain, SaysWhereEventsAreLost) {
  MadeRun run = begun(2);
  run.up(1);
  run.decided();
  auto &events = run.seen.cpus[1].events;
  events.erase(events.begin(), events.begin() + 2); // up to its claim
  run.seen.cpus[1].lost_events = 1;
  const Chain chain = chain_of(run);
  EXPECT_EQ(chain.end, ChainEnd::kActive);
  EXPECT_EQ(chain.links.front().kind, LinkKind::kUnknown);
  EXPECT_NE(chain.gap.find("1 events lost"), std::string::npos) << chain.gap;
}

TEST(Chain, OfNothingIsNone) {
  MadeRun run(2);
  run.seen.zero_tsc = 0;
  EXPECT_EQ(chain_of(run).end, ChainEnd::kNothing);
  run.seen.cpus.clear();
  EXPECT_EQ(critical_chain(run.scenario, run.seen, {}).end, ChainEnd::kNothing);
  EXPECT_TRUE(blame_of(Chain{}).parts.empty());
}

/// Whatever the guest writes.
TEST(Chain, SurvivesAGuestThatLies) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed); // NOLINT(cert-msc51-cpp): the same lies each time
    MadeRun run = begun(4);
    run.up(1);
    run.kick(2, 1);
    run.climb(2, 1, State::kStarted);
    run.up(3);
    run.decided();
    for (CpuObservation &cpu : run.seen.cpus)
      for (Event &event : cpu.events)
        switch (random() % 8) {
        case 0:
          event.tsc = seed % 2 == 0 ? random() : event.tsc + random() % 100'000 - 50'000;
          break;
        case 1:
          event.cpu = static_cast<std::uint32_t>(random() % 5);
          break;
        case 2:
          event.kind = static_cast<EventKind>(random() % 40);
          break;
        case 3:
          event.a = random() % 2 == 0 ? random() : random() % 5;
          break;
        case 4:
          event.attempt = static_cast<std::uint32_t>(random() % 3);
          break;
        default:
          break;
        }
    if (seed % 3 == 0)
      run.seen.tsc_khz = 0;
    chain_of(run);
  }
}

TEST(Chain, OfManyLiesTakesNoLongerThanTheyAreMany) {
  MadeRun run = begun(2);
  run.up(1);
  for (unsigned i = 0; i < 200'000; ++i) // each sends the walk to the same places
    run.note(0, i % 2 == 0 ? EventKind::kFenced : EventKind::kTakeDown, 1, 0, 1);
  run.decided();
  EXPECT_LE(chain_of(run).links.size(), 200'100U);
}

TEST(Chain, EveryKindHasANameAndWords) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kLinkKinds; ++i) {
    ChainLink link;
    link.kind = static_cast<LinkKind>(i);
    EXPECT_NE(link_text(link, {}), "");
    names.emplace_back(name(link.kind));
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Blame, AccountsForTheWholeRun) {
  MadeRun run = begun(2);
  run.up(1);
  run.decided();
  run.seen.create_us = 1000;
  run.seen.boot_us = 500;
  const Chain chain = chain_of(run);
  run.seen.total_us = 1500 + chain.total_us + 200;
  const Blame blame = blame_of(chain, run.seen);
  EXPECT_NEAR(blame.total_us, run.seen.total_us, 1e-6);
  EXPECT_EQ(blame.parts[0].name, "create");
  EXPECT_EQ(blame.parts[1].name, "boot");
  EXPECT_EQ(blame.parts[2].name, "after");
  EXPECT_TRUE(std::ranges::is_sorted(blame.parts, std::greater<>{}, &BlamePart::us));
}

} // namespace
} // namespace reveille::vmm
