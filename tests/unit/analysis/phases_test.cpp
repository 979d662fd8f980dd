#include "vmm/analysis/phases.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

/// A chain of links of 10 us each.
Chain made(const std::vector<ChainLink> &links) {
  Chain chain;
  for (ChainLink link : links) {
    link.from_us = chain.total_us;
    link.to_us = chain.total_us += 10;
    chain.links.push_back(link);
  }
  return chain;
}

ChainLink link(LinkKind kind, CpuIndex cpu, CpuIndex with) {
  ChainLink l;
  l.kind = kind;
  l.cpu = cpu;
  l.with = with;
  return l;
}

TEST(Phases, AreOfOneCpuEach) {
  const auto phases = phases_of(
      made({link(LinkKind::kControl, 0, 0), link(LinkKind::kPrepare, 0, 2), link(LinkKind::kKick, 0, 2),
            link(LinkKind::kPrepare, 0, 1), link(LinkKind::kAlive, 1, 1), link(LinkKind::kTsc, 0, 1),
            link(LinkKind::kResume, 1, 1)}));
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_TRUE(phases[0].is_control);
  EXPECT_EQ(phases[0].with, (std::vector<CpuIndex>{1, 2}));
  EXPECT_EQ(phases[0].us(), 40) << "with how it began";
  ASSERT_EQ(phases[0].parts.size(), 3U);
  EXPECT_EQ(phases[0].parts[0].kind, LinkKind::kPrepare);
  EXPECT_EQ(phases[0].parts[0].us, 20);
  EXPECT_FALSE(phases[1].is_control);
  EXPECT_EQ(phases[1].cpu, 1U);
  EXPECT_EQ(phases[1].from_us, 40);
  EXPECT_EQ(phases[1].us(), 30) << "what the control CPU did for it is in it";
}

TEST(Phases, WhatWasDoneForOneAloneIsItsOwn) {
  const auto phases = phases_of(
      made({link(LinkKind::kPrepare, 0, 1), link(LinkKind::kKick, 0, 1), link(LinkKind::kAlive, 1, 1),
            link(LinkKind::kPrepare, 0, 2), link(LinkKind::kAlive, 2, 2)}));
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[0].cpu, 1U);
  EXPECT_EQ(phases[0].us(), 30);
  EXPECT_EQ(phases[1].cpu, 2U);
  EXPECT_FALSE(phases[1].is_control);
}

TEST(Phases, HoldsAndTimeoutsStandAlone) {
  ChainLink held = link(LinkKind::kHeld, 1, 1);
  held.fault = 0;
  const auto phases = phases_of(made({link(LinkKind::kAlive, 1, 1), held, held, link(LinkKind::kAlive, 1, 1),
                                      link(LinkKind::kTimeout, 1, 1), link(LinkKind::kTimeout, 2, 2)}));
  ASSERT_EQ(phases.size(), 5U);
  EXPECT_TRUE(phases[1].stands_alone);
  EXPECT_EQ(phases[1].us(), 20);
  EXPECT_EQ(phases[4].cpu, 2U);
  double at = 0;
  for (const Phase &phase : phases) {
    EXPECT_EQ(phase.from_us, at);
    at = phase.to_us;
  }
  EXPECT_EQ(at, 60);
  EXPECT_TRUE(phases_of({}).empty());
}

} // namespace
} // namespace reveille::vmm
