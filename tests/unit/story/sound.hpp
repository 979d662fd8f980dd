// What must be true of every story, whatever the run was.
#pragma once

#include "vmm/story/story.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace reveille::vmm {

/// Slices nest: each lies within the one that it is in, and brothers do not overlap.
inline void expect_nested(const Story &story, const Track &track) {
  std::vector<const Slice *> open;
  double last = 0;
  for (const Slice &slice : track.slices) {
    SCOPED_TRACE("CPU " + std::to_string(track.cpu) + ", slice " + slice.name);
    ASSERT_LE(slice.begin_us, slice.end_us);
    ASSERT_LE(last, slice.begin_us) << "slices are not in the order in which they begin";
    last = slice.begin_us;
    ASSERT_GE(slice.begin_us, 0);
    ASSERT_LE(slice.end_us, story.end_us);
    ASSERT_LE(slice.depth, open.size()) << "it is in a slice that is not there";
    if (slice.depth < open.size()) {
      ASSERT_LE(open[slice.depth]->end_us, slice.begin_us)
          << "overlaps its brother " << open[slice.depth]->name;
    }
    open.resize(slice.depth);
    if (!open.empty()) {
      ASSERT_GE(slice.begin_us, open.back()->begin_us);
      ASSERT_LE(slice.end_us, open.back()->end_us) << "ends after " << open.back()->name;
    }
    open.push_back(&slice);
  }
}

/// Whether a slice of one of those kinds begins at that time.
inline bool begins_at(const Track &track, double us, std::initializer_list<SliceKind> kinds) {
  return std::ranges::any_of(track.slices, [&](const Slice &slice) {
    return slice.begin_us == us && std::ranges::find(kinds, slice.kind) != kinds.end();
  });
}

inline void expect_arrow(const Story &story, const Arrow &arrow) {
  ASSERT_LT(arrow.from, story.tracks.size());
  ASSERT_LT(arrow.to, story.tracks.size());
  const Track &from = story.tracks[arrow.from];
  const Track &to = story.tracks[arrow.to];
  EXPECT_TRUE(from.control);
  EXPECT_FALSE(to.control);
  EXPECT_LE(arrow.from_us, arrow.to_us);
  const bool kick = arrow.kind == ArrowKind::kKick;
  EXPECT_TRUE(begins_at(from, arrow.from_us, {kick ? SliceKind::kKick : SliceKind::kRelease}))
      << "no slice on the control CPU where an arrow to CPU " << to.cpu << " begins";
  EXPECT_TRUE(
      begins_at(to, arrow.to_us, {SliceKind::kWait, SliceKind::kTurn, SliceKind::kEntry, SliceKind::kLate}))
      << "nothing begins where an arrow to CPU " << to.cpu << " ends";
  if (arrow.claim_us) {
    EXPECT_LE(arrow.from_us, *arrow.claim_us);
    EXPECT_LE(*arrow.claim_us, arrow.to_us);
  }
}

inline void expect_sound(const Story &story) {
  ASSERT_FALSE(story.tracks.empty());
  EXPECT_EQ(story.tracks.front().cpu, 0U);
  EXPECT_TRUE(story.tracks.front().control);
  EXPECT_TRUE(std::isfinite(story.end_us));
  for (const Track &track : story.tracks) {
    expect_nested(story, track);
    for (const Instant &instant : track.instants) {
      EXPECT_GE(instant.at_us, story.begin_us);
      EXPECT_LE(instant.at_us, story.end_us);
      EXPECT_TRUE((instant.event == nullptr) != (instant.firing == nullptr));
    }
    for (std::size_t i = 0; i < track.holds.size(); ++i) {
      EXPECT_LT(track.holds[i].began_us, track.holds[i].ended_us);
      EXPECT_LE(track.holds[i].ended_us, story.end_us);
      for (std::size_t j = 0; j < i; ++j)
        if (track.holds[i].lane == track.holds[j].lane) {
          EXPECT_LE(track.holds[j].ended_us, track.holds[i].began_us);
        }
    }
  }
  for (const Arrow &arrow : story.arrows)
    expect_arrow(story, arrow);
}

} // namespace reveille::vmm
