// Runs made by hand, and what is told of them.

#include "tests/unit/judge/made_run.hpp"
#include "tests/unit/story/sound.hpp"

namespace reveille::vmm {
namespace {

Story told(const MadeRun &run) {
  Story story = tell_story(run.scenario, run.seen, run.judged());
  expect_sound(story);
  return story;
}

/// "attempt 1 > started > tables", with how each of them ended if it was not done.
std::vector<std::string> outline(const Track &track) {
  std::vector<std::string> lines;
  std::vector<std::string> path;
  for (const Slice &slice : track.slices) {
    path.resize(slice.depth);
    path.push_back(slice.name +
                   (slice.end == SliceEnd::kDone ? "" : " (" + std::string(name(slice.end)) + ")"));
    std::string line;
    for (const std::string &part : path)
      line += (line.empty() ? "" : " > ") + part;
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> moments(const Track &track) {
  std::vector<std::string> names;
  for (const Instant &instant : track.instants)
    names.push_back(instant.name);
  return names;
}

using Lines = std::vector<std::string>;

TEST(Story, AnApOnItsWayUp) {
  const Story story = told(sound_run());
  ASSERT_EQ(story.tracks.size(), 3U);
  EXPECT_EQ(outline(story.tracks[1]), (Lines{
                                          "attempt 1",
                                          "attempt 1 > alive",
                                          "attempt 1 > alive > trampoline",
                                          "attempt 1 > alive > entry",
                                          "attempt 1 > wait at alive",
                                          "attempt 1 > started",
                                          "attempt 1 > started > tables",
                                          "attempt 1 > started > timer",
                                          "attempt 1 > wait at started",
                                          "attempt 1 > synced",
                                          "attempt 1 > wait at synced",
                                          "attempt 1 > online",
                                          "attempt 1 > wait at online",
                                          "attempt 1 > idle",
                                          "attempt 1 > wait at idle",
                                          "attempt 1 > active",
                                          "attempt 1 > active > worker",
                                          "up (open)",
                                      }));
  EXPECT_EQ(moments(story.tracks[1]), (Lines{"kick", "TSC served", "decided: active"}));
}

TEST(Story, AControlCpuBringsUpOneAp) {
  MadeRun run(2);
  run.note(0, EventKind::kZero, 0, 0);
  run.note(0, EventKind::kCycle, 0, 0, 1);
  run.up(1);
  run.decided();
  const Story story = told(run);
  EXPECT_EQ(outline(story.tracks[0]), (Lines{
                                          "bring-up",
                                          "bring-up > prepare CPU 1",
                                          "bring-up > prepare CPU 1 > area",
                                          "bring-up > kick CPU 1",
                                          "bring-up > release CPU 1 from alive",
                                          "bring-up > release CPU 1 from started",
                                          "bring-up > release CPU 1 from synced",
                                          "bring-up > release CPU 1 from online",
                                          "bring-up > release CPU 1 from idle",
                                      }));
  EXPECT_EQ(moments(story.tracks[0]), (Lines{"time zero", "all decided"}));
  EXPECT_EQ(story.arrows.size(), 6U);
  EXPECT_EQ(story.arrows.front().kind, ArrowKind::kKick);
  EXPECT_TRUE(story.arrows.front().claim_us);
  std::vector<std::string_view> places;
  for (const Arrow &arrow : story.arrows)
    places.push_back(arrow.place);
  EXPECT_EQ(places, (std::vector<std::string_view>{"alive", "alive", "started", "synced", "online", "idle"}));
}

TEST(Story, TimesAreFromTimeZero) {
  MadeRun run(2);
  run.kick(1, 1); // the third event is the swap, a microsecond each
  run.climb(1, 1, State::kAlive);
  const Story story = told(run);
  const Track &ap = story.tracks[1];
  EXPECT_DOUBLE_EQ(ap.slices[0].begin_us, 3);
  ASSERT_EQ(ap.slices[2].kind, SliceKind::kTrampoline);
  EXPECT_DOUBLE_EQ(ap.slices[2].begin_us, 3);
  EXPECT_DOUBLE_EQ(ap.slices[2].end_us, 5);
  EXPECT_DOUBLE_EQ(ap.slices[3].end_us, 6);
}

TEST(Story, AGivenUpApIsLateUntilItParks) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.note(1, EventKind::kStepEnter, 1, 1, 0, 2);
  run.give_up(1, 1, 100'000);
  run.note(0, EventKind::kStop, 1, 1);
  run.fail(1, 1, State::kStarting);
  run.note(1, EventKind::kStepDone, 1, 1, 0, abi::step_result(2, 0));
  run.move(1, 1, {1, State::kParked, 0});
  run.note(0, EventKind::kProven, 1, 1, run.seen.cpus[1].word);
  const Story story = told(run);
  const Lines lines = outline(story.tracks[1]);
  EXPECT_EQ(lines.front(), "attempt 1 (given-up)");
  EXPECT_EQ(lines.back(), "given up");
  EXPECT_EQ(*(lines.end() - 2), "attempt 1 (given-up) > started (given-up) > tables (open)");
  EXPECT_EQ(moments(story.tracks[1]),
            (Lines{"kick", "timeout", "quarantined", "stop INIT", "decided: failed", "proven over"}));
  EXPECT_EQ(outline(story.tracks[0]).back(), "give up CPU 1");
}

TEST(Story, ARetryIsAnAttemptOfItsOwn) {
  MadeRun run(2);
  run.kick(1, 1);
  run.give_up(1, 1, 50);
  run.up_again(1, 2);
  const Story story = told(run);
  const Lines lines = outline(story.tracks[1]);
  EXPECT_EQ(lines[0], "attempt 1 (given-up)");
  EXPECT_EQ(lines[1], "attempt 1 (given-up) > alive (given-up)");
  EXPECT_EQ(lines[3], "given up");
  EXPECT_EQ(lines[4], "attempt 2");
  EXPECT_EQ(lines.back(), "up (open)");
  // The kick of the first attempt led nowhere.
  EXPECT_EQ(std::ranges::count(story.arrows, ArrowKind::kKick, &Arrow::kind), 1);
}

TEST(Story, AnApGoesDown) {
  MadeRun run(2);
  run.up(1);
  run.down(1, 1);
  const Story story = told(run);
  const Lines lines = outline(story.tracks[1]);
  EXPECT_EQ(Lines(lines.end() - 5, lines.end()),
            (Lines{"up", "down", "down > dying", "down > wait at dying", "down > dead"}));
  EXPECT_EQ(outline(story.tracks[0]).back(), "clear up CPU 1 > area");
}

TEST(Story, AStepThatFailsIsTold) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kAlive);
  run.move(0, 1, {1, State::kStarting, 0});
  run.note(1, EventKind::kResumed, 1, 1, run.seen.cpus[1].word);
  run.note(1, EventKind::kStepEnter, 1, 1, 1, 2);
  run.note(1, EventKind::kStepDone, 1, 1, 1, abi::step_result(2, -12));
  run.move(1, 1, {1, State::kStartFailed, 0});
  const Story story = told(run);
  const Track &ap = story.tracks[1];
  const auto step = std::ranges::find(ap.slices, SliceKind::kStep, &Slice::kind);
  ASSERT_NE(step, ap.slices.end());
  EXPECT_EQ(step->name, "timer");
  EXPECT_EQ(step->error, -12);
  EXPECT_EQ(outline(ap).back(), "attempt 1 (open) > wait to roll back (open)");
}

TEST(Story, AClockThatIsBehindIsBroughtForward) {
  MadeRun run(2);
  run.up(1);
  for (Event &event : run.seen.cpus[1].events)
    event.tsc -= 900'000; // before time zero
  const Story story = told(run);
  const Track &ap = story.tracks[1];
  EXPECT_EQ(ap.slices.back().name, "up");
  EXPECT_EQ(story.arrows.size(), 6U);
}

TEST(Story, HoldsThatOverlapHaveLanes) {
  MadeRun run = sound_run();
  for (int i = 0; i < 3; ++i)
    run.fault(Action::kThrottle, abi::Place::kAlive, "alive", 1, HoldEnd::kReleased);
  run.seen.firings[0].began_us = 1;
  run.seen.firings[0].ended_us = 20;
  run.seen.firings[1].began_us = 10;
  run.seen.firings[1].ended_us = 30;
  run.seen.firings[2].began_us = 20;
  run.seen.firings[2].end = HoldEnd::kHolding;
  for (Firing &firing : run.seen.firings)
    firing.vcpu = 1;
  const Story story = told(run);
  const std::vector<Hold> &holds = story.tracks[1].holds;
  ASSERT_EQ(holds.size(), 3U);
  EXPECT_EQ(holds[0].lane, 0U);
  EXPECT_EQ(holds[1].lane, 1U);
  EXPECT_EQ(holds[2].lane, 0U);
  EXPECT_TRUE(holds[2].open);
  EXPECT_EQ(holds[2].ended_us, story.end_us);
}

TEST(Story, AFaultAtTheKickIsOfTheControlCpu) {
  MadeRun run = sound_run();
  run.fault(Action::kDelay, abi::Place::kKick, "kick", 1, HoldEnd::kReleased);
  run.seen.firings[0].began_us = 1;
  run.seen.firings[0].ended_us = 2;
  const Story story = told(run);
  EXPECT_EQ(story.tracks[0].holds.size(), 1U);
  EXPECT_TRUE(story.tracks[1].holds.empty());
}

} // namespace
} // namespace reveille::vmm
