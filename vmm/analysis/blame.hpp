// Where the time of a run went, by what it went into.
#pragma once

#include "vmm/analysis/chain.hpp"

#include <string_view>
#include <vector>

namespace reveille::vmm {

/// One of the things that time went into.
struct BlamePart {
  std::string_view name;  ///< "create", "boot", a LinkKind's, "after"
  std::string_view about; ///< what that is, in a few words
  double us = 0;
};

struct Blame {
  double total_us = 0;          ///< the sum of the parts
  std::vector<BlamePart> parts; ///< the largest first; none of no time
};

/// All parts that there can be, without their times.
[[nodiscard]] std::vector<BlamePart> all_blame_parts();

/// Of a chain alone: its parts sum to the chain's total.
[[nodiscard]] Blame blame_of(const Chain &chain);

/// Of the whole run: with the machine's creation, the guest's boot up to time zero, and what came
/// after the chain's end.
[[nodiscard]] Blame blame_of(const Chain &chain, const Observation &seen);

} // namespace reveille::vmm
