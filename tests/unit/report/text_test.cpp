#include "vmm/report/text.hpp"

#include "tests/unit/report/story.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/bar.hpp"
#include "vmm/report/critical.hpp"
#include "vmm/report/faults.hpp"
#include "vmm/report/summary.hpp"
#include "vmm/report/tree.hpp"
#include "vmm/report/where_is_it.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace reveille::vmm {
namespace {

std::string report(const story::Story &s, const Style &style = {}) {
  return report_text(style, s.scenario, s.seen, s.verdict);
}

/// Holds a text against a file. With REVEILLE_UPDATE_GOLDEN set the file is written instead.
void expect_golden(const std::string &text, const std::string &file) {
  const std::string path = std::string(REVEILLE_GOLDEN) + "/" + file;
  if (std::getenv("REVEILLE_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path) << text;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, golden.str()) << "differs from " << path;
}

std::vector<std::string> lines_of(const std::string &text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

std::size_t widest(const std::string &text) {
  std::size_t most = 0;
  for (const std::string &line : lines_of(text))
    most = std::max(most, line.size());
  return most;
}

TEST(Report, EightThatComeUp) { expect_golden(report(story::all_up(8)), "all-up-8.txt"); }
TEST(Report, Trouble) { expect_golden(report(story::trouble()), "trouble.txt"); }
TEST(Report, ThousandInGroups) { expect_golden(report(story::many()), "many.txt"); }

TEST(Report, OfASimulatedMachineSaysSo) {
  story::Story s = story::trouble();
  s.scenario.backend = Backend::kSim;
  for (CrashEvidence &crash : s.seen.crashes)
    crash.rip = 0;
  for (CpuObservation &cpu : s.seen.cpus)
    if (cpu.vcpu)
      cpu.vcpu->rip = 0;
  const std::string text = report(s, {false, false, 200});
  EXPECT_NE(text.find(", simulated"), std::string::npos);
  EXPECT_NE(text.find("of virtual time in all"), std::string::npos);
  EXPECT_EQ(text.find("rip 0x0"), std::string::npos);
  EXPECT_NE(text.find(" --backend sim"), std::string::npos); // of the command that repeats it
}

TEST(Report, FitsOnAScreen) {
  for (const std::uint32_t vcpus : {1U, 8U, 17U, 1000U})
    for (const int width : {80, 100, 160}) {
      const std::string text = report(story::all_up(vcpus), {false, false, width});
      EXPECT_LE(lines_of(text).size(), width == 80 ? 23U : 24U) << vcpus << " CPUs, " << width << " columns\n"
                                                                << text;
    }
}

TEST(Report, SaysWhatDecidedHowLongItTook) {
  const std::string text = report(story::all_up(8));
  EXPECT_NE(text.find("what decided the 0.670 ms to the last active CPU\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" ms  the control CPU for CPUs 1-7: "), std::string::npos) << text;
  EXPECT_NE(text.find("where it went: "), std::string::npos) << text;
  EXPECT_NE(text.find("; 12.35 ms in all\n"), std::string::npos) << text;
}

TEST(Report, NamesWhoTookTheMost) {
  story::Story s = story::all_up(8);
  for (std::size_t i = 2; i < protocol::kPointCount; ++i)
    *s.verdict.cpus[4].points.arrived[i] += 777;
  const std::string text = report(s);
  std::istringstream most(text.substr(text.find("most ") + 4));
  std::istringstream who(text.substr(text.find("by CPU ") + 6));
  double us = 0;
  int cpu = 0;
  for (int column = 0; column < 3; ++column) { // to alive, to started, to synced
    most >> us;
    who >> cpu;
  }
  EXPECT_EQ(us, 0.877) << text;
  EXPECT_EQ(cpu, 4) << text;
}

TEST(Chain, IsToldInAFewLinesHoweverManyLinksItHas) {
  Chain chain;
  chain.end = ChainEnd::kActive;
  for (CpuIndex cpu = 1; cpu < 1000; ++cpu) {
    ChainLink link;
    link.kind = LinkKind::kAlive;
    link.cpu = link.with = cpu;
    link.from_us = chain.total_us;
    link.to_us = chain.total_us += cpu == 500 ? 9000 : cpu == 700 ? 8000 : 1000;
    chain.links.push_back(link);
  }
  EXPECT_EQ(chain_text({}, chain, {}),
            "what decided the 1014 ms to the last active CPU\n"
            "     9.000 ms  CPU 500: alive 9.000\n"
            "     8.000 ms  CPU 700: alive 8.000\n"
            "     997.0 ms  in 997 more stretches, of CPUs 1-499,501-699,701-999\n");
  EXPECT_EQ(chain_text({}, Chain{}, {}), "");
}

TEST(Chain, TellsWhatItIsOf) {
  Chain chain;
  chain.end = ChainEnd::kDecided;
  chain.total_us = 2000;
  chain.cycles = 9;
  chain.gap = "the event ring of CPU 1 overflowed";
  ChainLink earlier;
  earlier.kind = LinkKind::kEarlier;
  earlier.to_us = 1000;
  ChainLink gone;
  gone.kind = LinkKind::kTimeout;
  gone.cpu = gone.with = 3;
  gone.point = protocol::Point::kStarted;
  gone.fault = 2;
  gone.from_us = 1000;
  gone.to_us = 2000;
  chain.links = {earlier, gone};
  EXPECT_EQ(chain_text({}, chain, {}),
            "what decided the 2.000 ms until all were decided, 9 cycles, as far as the events are there\n"
            "     1.000 ms  earlier cycles, whose events are not kept\n"
            "     1.000 ms  CPU 3 did not reach started in its time, held by fault 2\n");
}

TEST(Chain, BlameKeepsToItsLine) {
  const story::Story s = story::all_up(8);
  const Chain chain = critical_chain(s.scenario, s.seen, s.verdict);
  for (const int width : {60, 80, 100, 160}) {
    const std::string text = blame_text({false, false, width}, s.scenario, chain, s.seen);
    EXPECT_EQ(lines_of(text).size(), 1U) << text;
    EXPECT_LE(widest(text), static_cast<std::size_t>(width)) << text;
  }
}

TEST(Report, KeepsToTheWidth) {
  for (const int width : {80, 100, 160}) {
    const Style style = {false, false, width};
    for (const story::Story &s : {story::all_up(8), story::trouble(true), story::many()})
      EXPECT_LE(widest(report(s, style)), static_cast<std::size_t>(width)) << report(s, style);
  }
}

TEST(Report, ColoursOnlyWhenAsked) {
  const story::Story s = story::trouble(true);
  const std::string coloured = report(s, {true, true, 100});
  EXPECT_NE(coloured.find("\033[1;31mBROKEN"), std::string::npos);
  EXPECT_EQ(report(s, {true, false, 100}).find('\033'), std::string::npos);
}

TEST(Report, ShowsBrokenInvariantsWithTheirEvidence) {
  const std::string text = report(story::trouble(true));
  EXPECT_NE(text.find("invariants: 1 hold, 1 broken, 1 not judged"), std::string::npos) << text;
  EXPECT_NE(text.find("broken: one-writer: CPU 3 moved its word"), std::string::npos) << text;
  EXPECT_NE(text.find("; 1 invariant broken"), std::string::npos) << text;
}

TEST(Report, SurvivesAGuestThatLies) {
  const std::string text = report(story::garbage());
  for (const std::string &line : lines_of(text))
    ASSERT_EQ(line, printable(line));
  EXPECT_NE(text.find("events lost"), std::string::npos);
}

TEST(Report, SurvivesAVerdictAboutMoreThanWasSeen) {
  story::Story s = story::trouble();
  s.seen.cpus.clear();
  EXPECT_NE(report(s).find("CPU 3  timeout@started"), std::string::npos);
}

TEST(Report, ThousandFailuresStayReadable) {
  story::Story s = story::all_up(1000);
  for (CpuVerdict &cpu : s.verdict.cpus) {
    if (cpu.cpu == 0)
      continue;
    cpu.outcome = CpuOutcome::kFailed;
    cpu.reason = "timeout@alive";
  }
  EXPECT_LE(lines_of(report(s)).size(), 60U);
}

TEST(Faults, TellHowAHoldEnded) {
  Firing f = {};
  f.began_us = 1000;
  f.ended_us = 301'000;
  f.end = HoldEnd::kReleased;
  f.aftermath = Aftermath::kTookInit;
  EXPECT_EQ(end_text(f), "released after 300.0 ms, then took the INIT");
  f.aftermath = Aftermath::kParked;
  EXPECT_EQ(end_text(f), "released after 300.0 ms, then parked");
  f.aftermath = Aftermath::kUnknown;
  EXPECT_EQ(end_text(f), "released after 300.0 ms, not seen to go on");
  f.end = HoldEnd::kReset;
  EXPECT_EQ(end_text(f), "taken out of it by an INIT after 300.0 ms");
  f.end = HoldEnd::kHolding;
  EXPECT_EQ(end_text(f), "still holds");
}

TEST(Advice, NamesTheFaultThatDidNotFire) {
  const story::Story s = story::trouble();
  const std::string text = advice({}, s.scenario, s.seen, s.verdict);
  EXPECT_NE(text.find("fault 2 (delay at synced for 5 ms) never fired on CPU 2"), std::string::npos) << text;
  EXPECT_NE(text.find("'configs/it'\\''s trouble.toml' --seed 7"), std::string::npos) << text;
}

TEST(Advice, RunsTheImageAgainThatWasRun) {
  story::Story s = story::trouble();
  s.verdict.kind = VerdictKind::kBroken;
  s.scenario.guest = "my guest.elf";
  EXPECT_NE(advice({}, s.scenario, s.seen, s.verdict).find("--guest 'my guest.elf'"), std::string::npos);
}

TEST(Advice, SuspectsASlowHostOnlyWhereNoFaultStruck) {
  story::Story s = story::trouble();
  s.scenario.faults.clear();
  s.seen.faults.clear();
  s.seen.firings.clear();
  const auto told = [&] { return advice({}, s.scenario, s.seen, s.verdict); };
  EXPECT_NE(told().find("bringup.timeout_ms=4000"), std::string::npos) << told();
  s.seen.crashes.push_back({3, 1, "triple fault", 0});
  EXPECT_EQ(told().find("timeout_ms"), std::string::npos) << told();
  EXPECT_EQ(advice({}, s.scenario, s.seen, story::all_up(8).verdict), "");
}

TEST(Tree, SaysWhoKickedWhomAndWhoseLeaseLapsed) {
  story::Story s = story::all_up(6);
  const auto kick = [&s](CpuIndex by, CpuIndex cpu, std::uint32_t attempt) {
    abi::Event event = story::event(10, cpu, abi::EventKind::kKick, 1);
    event.attempt = attempt;
    s.seen.cpus[by].events.push_back(event);
  };
  kick(0, 1, 1);
  kick(0, 2, 2); // in its second attempt
  kick(1, 2, 1);
  kick(1, 3, 1);
  kick(3, 4, 1);
  kick(0, 5, 1);
  EXPECT_EQ(tree_text({}, s.scenario, s.seen), "") << "it was no tree";
  s.scenario.bringup.strategy = abi::Strategy::kTree;
  EXPECT_EQ(tree_text({}, s.scenario, s.seen), "tree\n"
                                               "  the control CPU kicked CPUs 1-2,5\n"
                                               "  CPU 1 kicked CPU 3\n"
                                               "  CPU 3 kicked CPU 4\n");
  const auto note = [&s](double us, CpuIndex cpu, abi::EventKind kind, std::uint64_t a) {
    s.seen.cpus[0].events.push_back(story::event(us, cpu, kind, a));
  };
  note(300'000, 2, abi::EventKind::kFenced, 1);
  note(310'000, 4, abi::EventKind::kFenced, 3);
  note(450'000, 2, abi::EventKind::kAdopted, 1);
  const std::string text = tree_text({}, s.scenario, s.seen);
  EXPECT_NE(
      text.find("  CPU 1 did not renew its lease on CPU 2, and was shut out at 300.0 ms; it let go of it "
                "at 450.0 ms\n"),
      std::string::npos)
      << text;
  EXPECT_NE(
      text.find("CPU 3 did not renew its lease on CPU 4, and was shut out at 310.0 ms; it never let go"),
      std::string::npos)
      << text;
  EXPECT_NE(report(s).find("\ntree\n"), std::string::npos);
}

TEST(Tree, IsShortForManyAndForGarbage) {
  story::Story s = story::all_up(1000);
  s.scenario.bringup.strategy = abi::Strategy::kTree;
  for (CpuIndex cpu = 1; cpu < 1000; ++cpu)
    s.seen.cpus[cpu / 2].events.push_back(story::event(10, cpu, abi::EventKind::kKick, 1));
  s.seen.cpus[7].events.push_back(story::event(11, 999, abi::EventKind::kKick, 1));
  EXPECT_EQ(tree_text({}, s.scenario, s.seen),
            "tree\n"
            "  the control CPU kicked CPU 1\n"
            "  499 other CPUs kicked the others, CPU 1 the most of them: CPUs 2-3\n");
  story::Story wild = story::garbage();
  wild.scenario.bringup.strategy = abi::Strategy::kTree;
  for (int i = 0; i < 1000; ++i)
    wild.seen.cpus[0].events.push_back(story::event(i, 0xffff'ffff, abi::EventKind::kFenced, ~0ull));
  EXPECT_LE(lines_of(tree_text({}, wild.scenario, wild.seen)).size(), 40U);
}

TEST(WhereIsIt, NamesTheCycleWhereThereAreMany) {
  story::Story s = story::trouble();
  const auto told = [&] { return where_is_it({}, s.scenario, s.seen, s.verdict.cpus[3], Detail::kWhole); };
  EXPECT_NE(told().find("timeout@started after 1 attempt\n"), std::string::npos) << told();
  s.scenario.bringup.cycles = 9;
  auto &events = s.seen.cpus[0].events;
  events.insert(events.begin(), story::event(1, 0, abi::EventKind::kCycle, 1));
  events.insert(events.begin() + 1, story::event(200'000, 0, abi::EventKind::kCycle, 2));
  events.push_back(story::event(900'000, 0, abi::EventKind::kCycle, 3));
  EXPECT_NE(told().find("timeout@started after 1 attempt in cycle 2 of 9\n"), std::string::npos) << told();
}

TEST(WhereIsIt, NamesTheCycleOfADecisionInTheTickInWhichTheNextBegins) {
  story::Story s = story::trouble();
  s.scenario.bringup.cycles = 9;
  const auto told = [&] { return where_is_it({}, s.scenario, s.seen, s.verdict.cpus[3], Detail::kWhole); };
  auto &events = s.seen.cpus[0].events;
  events.insert(events.begin(), story::event(1, 0, abi::EventKind::kCycle, 1));
  const auto decided = std::ranges::find_if(events, [](const abi::Event &event) {
    return event.kind == abi::EventKind::kFailed && event.cpu == 3;
  });
  ASSERT_NE(decided, events.end());
  abi::Event next = story::event(0, 0, abi::EventKind::kCycle, 2);
  next.tsc = decided->tsc;
  const auto at = events.insert(decided + 1, next);
  EXPECT_NE(told().find(" in cycle 1 of 9\n"), std::string::npos) << told();
  std::iter_swap(at - 1, at); // its PREPARE fails at once
  EXPECT_NE(told().find(" in cycle 2 of 9\n"), std::string::npos) << told();
  std::iter_swap(at - 1, at);
  s.seen.cpus[2].events.push_back(*(at - 1)); // in tree another CPU decides
  events.erase(at - 1);
  EXPECT_NE(told().find(" in cycle 1 of 9\n"), std::string::npos) << told();
}

TEST(Bar, DrawsStretchesInScale) {
  PointTimes t;
  t.kick = 0;
  t.arrived = {10, 30, 50, 60, 70, 90};
  t.resumed = {20, 40, 50, 60, 80, {}};
  EXPECT_EQ(bar(t, {}, 0, 100, 10), "k.s.yoi.a=");
  EXPECT_EQ(bar(t, {}, 0, 100, 0), "");
}

TEST(Bar, ShowsTheLastCycleAlone) {
  PointTimes t;
  t.kick = 1000;
  t.arrived = {1010, 1030, 1050, 1060, 1070, 1090};
  t.resumed = {1020, 1040, 1050, 1060, 1080, {}};
  EXPECT_EQ(bar(t, {}, 1000, 1100, 10), "k.s.yoi.a=");
  EXPECT_EQ(bar(t, {}, 1050, 1100, 10), "ooii..aa==") << "what began before is not there";
  EXPECT_EQ(bar(t, 900, 1000, 1100, 10), std::string(10, ' ')) << "given up in an earlier cycle";
}

TEST(Bar, EndsWhereTheCpuWasGivenUp) {
  PointTimes t;
  t.kick = 10;
  t.arrived[0] = 20;
  EXPECT_EQ(bar(t, 50, 0, 100, 10), " k...x    ");
  EXPECT_EQ(bar(t, 300'000, 0, 100, 10), " k.......>");
  EXPECT_EQ(bar(t, -1, 0, 1e300, 4), "....");
  t.kick = std::numeric_limits<double>::infinity();
  EXPECT_EQ(bar(t, {}, 0, 0, 4), "   .");
}

} // namespace
} // namespace reveille::vmm
