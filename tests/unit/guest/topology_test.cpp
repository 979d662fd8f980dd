#include "guest/x86/topology.hpp"

#include <gtest/gtest.h>

#include <map>

namespace reveille::guest::x86 {
namespace {

constexpr std::uint32_t kSmt = 1u << 8;
constexpr std::uint32_t kCore = 2u << 8;

/// What CPUID answers to a leaf's first subleaf; all zeros where there is nothing.
using Leaves = std::map<std::uint32_t, Cpuid>;

unsigned bits_of(const Leaves &leaves) {
  return thread_bits([&](std::uint32_t leaf, std::uint32_t subleaf) {
    EXPECT_EQ(subleaf, 0u);
    const auto at = leaves.find(leaf);
    return at != leaves.end() ? at->second : Cpuid{};
  });
}

TEST(ThreadBits, AreThoseOfTheThreadLevel) {
  for (const std::uint32_t bits : {0u, 1u, 2u, 3u, 31u}) {
    EXPECT_EQ(bits_of({{0, {.eax = 0xb}}, {0xb, {.eax = bits, .ebx = 1, .ecx = kSmt}}}), bits);
    EXPECT_EQ(bits_of({{0, {.eax = 0x1f}}, {0x1f, {.eax = bits, .ebx = 1, .ecx = kSmt}}}), bits);
  }
}

TEST(ThreadBits, TheNewerLeafIsPreferredWhereItIsThere) {
  Leaves leaves = {{0, {.eax = 0x20}},
                   {0xb, {.eax = 1, .ebx = 2, .ecx = kSmt}},
                   {0x1f, {.eax = 2, .ebx = 4, .ecx = kSmt}}};
  EXPECT_EQ(bits_of(leaves), 2u);
  leaves[0x1f] = {}; // its number is in range, and it says nothing
  EXPECT_EQ(bits_of(leaves), 1u);
  leaves[0x1f] = {.eax = 2, .ebx = 4, .ecx = kSmt};
  leaves[0].eax = 0x1e; // what is above the highest is no answer
  EXPECT_EQ(bits_of(leaves), 1u);
}

TEST(ThreadBits, AreNoneWhereNothingSaysSo) {
  const Cpuid two = {.eax = 1, .ebx = 2, .ecx = kSmt};
  EXPECT_EQ(bits_of({}), 0u);
  EXPECT_EQ(bits_of({{0, {.eax = 0xa}}, {0xb, two}, {0x1f, two}}), 0u);
  EXPECT_EQ(bits_of({{0, {.eax = 0xb}}, {0xb, {.eax = 1, .ebx = 0, .ecx = kSmt}}}), 0u);
  EXPECT_EQ(bits_of({{0, {.eax = 0xb}}, {0xb, {.eax = 5, .ebx = 8, .ecx = kCore}}}), 0u);
}

TEST(ThreadBits, OtherFieldsDoNotGetInTheWay) {
  const Cpuid full = {.eax = 0xffffffe1, .ebx = 0xffff0002, .ecx = 0xffff01ff, .edx = 0xffffffff};
  EXPECT_EQ(bits_of({{0, {.eax = 0xb}}, {0xb, full}}), 1u);
  EXPECT_EQ(bits_of({{0, {.eax = 0xb}}, {0xb, {.eax = 1, .ebx = 0xffff0000, .ecx = kSmt}}}), 0u);
}

} // namespace
} // namespace reveille::guest::x86
