#include "core/cpu_list.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace {

using reveille::core::CpuLink;
using reveille::core::CpuList;

struct Links {
  std::vector<CpuLink> links = std::vector<CpuLink>(10);
  CpuLink &operator()(std::uint32_t cpu) { return links[cpu]; }
};

std::deque<std::uint32_t> listed(const CpuList &list, Links &links) {
  std::deque<std::uint32_t> all;
  for (std::uint32_t cpu = list.front(); cpu != reveille::core::kNoCpu; cpu = links(cpu).next) {
    EXPECT_EQ(links(cpu).before, all.empty() ? reveille::core::kNoCpu : all.back());
    EXPECT_EQ(links(cpu).list, &list);
    all.push_back(cpu);
  }
  EXPECT_EQ(list.empty(), all.empty());
  return all;
}

TEST(CpuList, IsAQueue) {
  CpuList list;
  Links links;
  EXPECT_TRUE(list.empty());
  for (const std::uint32_t cpu : {3U, 1U, 2U})
    list.push_back(links, cpu);
  EXPECT_EQ(listed(list, links), (std::deque<std::uint32_t>{3, 1, 2}));
  EXPECT_EQ(list.front(), 3U);
}

TEST(CpuList, TakesWhoMayNotWaitInFront) {
  CpuList list;
  Links links;
  list.push_front(links, 5);
  list.push_back(links, 1);
  list.push_front(links, 7);
  EXPECT_EQ(listed(list, links), (std::deque<std::uint32_t>{7, 5, 1}));
  list.remove(links, 7);
  list.remove(links, 1);
  list.push_back(links, 2);
  EXPECT_EQ(listed(list, links), (std::deque<std::uint32_t>{5, 2}));
}

TEST(CpuList, LosesItsHeadItsTailAndItsMiddle) {
  for (const std::uint32_t gone : {3U, 1U, 2U}) {
    CpuList list;
    Links links;
    std::deque<std::uint32_t> left;
    for (const std::uint32_t cpu : {3U, 1U, 2U}) {
      list.push_back(links, cpu);
      if (cpu != gone)
        left.push_back(cpu);
    }
    list.remove(links, gone);
    EXPECT_EQ(listed(list, links), left);
    EXPECT_EQ(links(gone).list, nullptr);
  }
}

TEST(CpuList, HoldsWhatAQueueHoldsWhateverIsDone) {
  CpuList list;
  Links links;
  std::deque<std::uint32_t> like;
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const auto cpu = static_cast<std::uint32_t>(random() % 10);
    if (links(cpu).list == nullptr && random() % 4 == 0) {
      list.push_front(links, cpu);
      like.push_front(cpu);
    } else if (links(cpu).list == nullptr) {
      list.push_back(links, cpu);
      like.push_back(cpu);
    } else {
      list.remove(links, cpu);
      std::erase(like, cpu);
    }
    ASSERT_EQ(listed(list, links), like);
  }
}

} // namespace
