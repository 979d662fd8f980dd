// Guests that write anything: a story is told of them all the same, and it is sound.

#include "tests/unit/judge/made_run.hpp"
#include "tests/unit/story/sound.hpp"

#include <random>

namespace reveille::vmm {
namespace {

/// Changes some of what the guest has written, now and then all of it.
void scribble(MadeRun &run, std::mt19937_64 &random, unsigned percent) {
  const auto hit = [&] { return random() % 100 < percent; };
  for (CpuObservation &cpu : run.seen.cpus)
    for (Event &event : cpu.events) {
      if (hit())
        event.kind = static_cast<EventKind>(random() % 40);
      if (hit())
        event.cpu = static_cast<std::uint32_t>(random() % 5);
      if (hit())
        event.tsc = random() % 3 == 0 ? random() : event.tsc + random() % 100'000 - 50'000;
      if (hit())
        event.a = random() % 2 == 0 ? random() : Word{1, static_cast<State>(random() % 23), 0}.bits();
      if (hit())
        event.b = random() % 2 == 0 ? random() : Word{2, static_cast<State>(random() % 23), 0}.bits();
      if (hit())
        event.attempt = static_cast<std::uint32_t>(random() % 4);
    }
}

TEST(StoryOfAHostileGuest, IsSound) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 3'000; ++i) {
    SCOPED_TRACE(i);
    MadeRun run(4);
    run.up(1);
    run.up(2);
    run.down(1, 1);
    run.up_again(1, 2);
    run.kick(3, 1);
    run.give_up(3, 1, 10);
    run.decided();
    scribble(run, random, i % 3 == 0 ? 2 : i % 3 == 1 ? 20 : 100);
    if (i % 2 == 0)
      run.seen.total_us = 500;
    if (i % 7 == 0)
      run.seen.zero_tsc = 0;
    const Story story = tell_story(run.scenario, run.seen, run.judged());
    expect_sound(story);
    if (::testing::Test::HasFailure())
      return;
  }
}

TEST(StoryOfAHostileGuest, NothingIsToldBeyondTheEndOfTheRun) {
  MadeRun run = sound_run();
  run.seen.total_us = 1'000;
  run.seen.cpus[2].events.back().tsc += 1'000'000'000'000;
  const Story story = tell_story(run.scenario, run.seen, run.judged());
  expect_sound(story);
  EXPECT_LE(story.end_us, 1'000);
}

TEST(StoryOfAHostileGuest, AGuestThatNeverGotToTimeZero) {
  MadeRun run = sound_run();
  run.seen.zero_tsc = 0;
  const Story story = tell_story(run.scenario, run.seen, run.judged());
  expect_sound(story);
  EXPECT_LT(story.end_us, 1'000) << "counted from its first event on";
}

TEST(StoryOfAHostileGuest, NobodySaidAnything) {
  const MadeRun run(3);
  const Story story = tell_story(run.scenario, run.seen, run.judged());
  expect_sound(story);
  EXPECT_EQ(story.tracks.size(), 3U);
  EXPECT_EQ(story.end_us, 0);
}

TEST(StoryOfAHostileGuest, AFiringThatIsOfNoFaultIsLeftOut) {
  MadeRun run = sound_run();
  Firing firing{};
  firing.fault = 7;
  run.seen.firings.push_back(firing);
  const Story story = tell_story(run.scenario, run.seen, {});
  expect_sound(story);
}

} // namespace
} // namespace reveille::vmm
