// Every scenario of configs/, simulated and told.

#include "tests/unit/story/sound.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/sim/simulation.hpp"

#include <filesystem>

namespace reveille::vmm {
namespace {

struct Told {
  Scenario scenario;
  Observation seen;
  Verdict verdict;
};

Result<Told> simulated(const std::filesystem::path &file) {
  const auto scenario = load_scenario(file.string(), {.overrides = {}, .seed = {}, .backend = Backend::kSim});
  if (!scenario)
    return tl::unexpected(scenario.error());
  auto seen = sim::simulate(*scenario);
  if (!seen)
    return tl::unexpected(seen.error());
  Verdict verdict = judge(*scenario, *seen);
  return Told{*scenario, std::move(*seen), std::move(verdict)};
}

const Track *track_of(const Story &story, CpuIndex cpu) {
  for (const Track &track : story.tracks)
    if (track.cpu == cpu && !track.control)
      return &track;
  return nullptr;
}

std::size_t count(const Track &track, SliceKind kind) {
  return static_cast<std::size_t>(std::ranges::count(track.slices, kind, &Slice::kind));
}

/// What the verdict says of the last attempt of a CPU that is up is what its track shows.
void expect_same_points(const Track &track, const CpuVerdict &cpu) {
  const auto up = std::ranges::find(track.slices, SliceKind::kUp, &Slice::kind);
  ASSERT_NE(up, track.slices.end());
  const Slice *last = nullptr;
  for (const Slice &slice : track.slices) {
    last = slice.kind == SliceKind::kUp ? &slice : last;
    if (slice.kind != SliceKind::kTurn || slice.attempt != up->attempt)
      continue;
    for (const protocol::PointRow &point : protocol::kPoints)
      if (slice.place == point.name && cpu.attempts == 1) {
        EXPECT_NEAR(slice.end_us, cpu.points.arrived[static_cast<std::size_t>(point.point)].value_or(-1),
                    1e-6)
            << point.name;
      }
  }
  EXPECT_EQ(last->end, SliceEnd::kOpen);
}

TEST(StoryConfigs, AllAreSound) {
  std::size_t told = 0;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(REVEILLE_CONFIGS)) {
    if (entry.path().extension() != ".toml")
      continue;
    SCOPED_TRACE(entry.path().string());
    const auto run = simulated(entry.path());
    if (!run) { // what no simulated machine has
      EXPECT_NE(run.error().status, ExitStatus::kBroken) << run.error().message;
      continue;
    }
    ++told;
    const Story story = tell_story(run->scenario, run->seen, run->verdict);
    expect_sound(story);
    const bool skewed = std::ranges::any_of(
        run->scenario.faults, [](const FaultSpec &fault) { return fault.action == Action::kSkew; });
    for (const CpuVerdict &cpu : run->verdict.cpus) {
      const Track *track = track_of(story, cpu.cpu);
      ASSERT_EQ(track == nullptr, cpu.cpu == 0);
      if (track == nullptr)
        continue;
      EXPECT_EQ(track->reason, cpu.reason);
      if (cpu.outcome == CpuOutcome::kOnline && run->scenario.bringup.cycles == 1 && !skewed)
        expect_same_points(*track, cpu);
    }
  }
  EXPECT_GT(told, 100U);
}

TEST(StoryConfigs, AFaultThatHoldsForEverIsCutAtTheEnd) {
  const auto run = simulated(REVEILLE_CONFIGS "/faults/stall-at-started.toml");
  ASSERT_TRUE(run) << run.error().message;
  const Story story = tell_story(run->scenario, run->seen, run->verdict);
  std::size_t holds = 0;
  for (const Track &track : story.tracks)
    for (const Hold &hold : track.holds) {
      ++holds;
      EXPECT_EQ(track.cpu, hold.firing->vcpu);
      if (hold.open) {
        EXPECT_EQ(hold.ended_us, story.end_us);
      }
    }
  EXPECT_EQ(holds, 1U);
}

TEST(StoryConfigs, ATreeHasSeveralControlCpus) {
  const auto run = simulated(REVEILLE_CONFIGS "/tree-64.toml");
  ASSERT_TRUE(run) << run.error().message;
  const Story story = tell_story(run->scenario, run->seen, run->verdict);
  EXPECT_GT(std::ranges::count(story.tracks, true, &Track::control), 4);
  std::size_t kicks = 0;
  for (const Track &track : story.tracks)
    kicks += count(track, SliceKind::kKick);
  EXPECT_EQ(kicks, 63U);
}

TEST(StoryConfigs, EachCycleHasItsAttemptAndItsWayDown) {
  const auto run = simulated(REVEILLE_CONFIGS "/cycles-100.toml");
  ASSERT_TRUE(run) << run.error().message;
  const Story story = tell_story(run->scenario, run->seen, run->verdict);
  const std::uint32_t cycles = run->scenario.bringup.cycles;
  EXPECT_EQ(count(story.tracks.front(), SliceKind::kCycle), cycles);
  const Track *track = track_of(story, 1);
  ASSERT_NE(track, nullptr);
  EXPECT_EQ(count(*track, SliceKind::kAttempt), cycles);
  EXPECT_EQ(count(*track, SliceKind::kUp), cycles);
  EXPECT_EQ(count(*track, SliceKind::kDown), cycles - 1);
}

} // namespace
} // namespace reveille::vmm
