// What every chain must be, whatever it is of.
#pragma once

#include "vmm/analysis/blame.hpp"
#include "vmm/analysis/chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace reveille::vmm {

/// One link begins where the other ends, from time zero to the end, and blame accounts for all of it.
inline void expect_whole(const Chain &chain, const std::string &what = "the chain") {
  double at = 0;
  for (const ChainLink &link : chain.links) {
    EXPECT_EQ(link.from_us, at) << what << ": " << link_text(link, {});
    EXPECT_GT(link.to_us, link.from_us) << what << ": " << link_text(link, {});
    at = link.to_us;
  }
  EXPECT_EQ(at, chain.total_us) << what;
  double blamed = 0;
  for (const BlamePart &part : blame_of(chain).parts)
    blamed += part.us;
  EXPECT_NEAR(blamed, chain.total_us, 1e-6 * chain.total_us) << what;
}

/// How many links of a kind there are, of a CPU.
inline std::size_t count_of(const Chain &chain, LinkKind kind, CpuIndex cpu) {
  return static_cast<std::size_t>(std::ranges::count_if(
      chain.links, [&](const ChainLink &link) { return link.kind == kind && link.cpu == cpu; }));
}

/// The first one; fails the test when there is none.
inline ChainLink first_of(const Chain &chain, LinkKind kind, CpuIndex cpu) {
  for (const ChainLink &link : chain.links)
    if (link.kind == kind && link.cpu == cpu)
      return link;
  ADD_FAILURE() << "no link \"" << name(kind) << "\" of CPU " << cpu;
  return {};
}

} // namespace reveille::vmm
