// The number that each point and each step has in an ftrace text. It grows on the way up, as Linux's
// cpuhp states do, and is the same on the way down.
#pragma once

#include "core/protocol/points.hpp"

#include <array>
#include <string>
#include <string_view>

namespace reveille::vmm {

inline constexpr unsigned kOffline = 0;

struct PlaceNumber {
  std::string_view place; ///< a point, or dying or dead
  unsigned number;
};

/// On the way down an AP leaves active until it is dying, and started until it is dead.
inline constexpr std::array<PlaceNumber, 8> kPlaceNumbers = {{{"alive", 100},
                                                              {"started", 200},
                                                              {"synced", 210},
                                                              {"online", 220},
                                                              {"idle", 230},
                                                              {"active", 300},
                                                              {"dying", 300},
                                                              {"dead", 200}}};

/// Numbers that the steps of a section may have; a step beyond them has the last.
struct SectionNumbers {
  protocol::Section section;
  unsigned first;
  unsigned last;
};
inline constexpr std::array<SectionNumbers, 3> kSectionNumbers = {{{protocol::Section::kPrepare, 1, 99},
                                                                   {protocol::Section::kStarting, 101, 199},
                                                                   {protocol::Section::kOnline, 231, 299}}};

/// Zero where there is no such place.
[[nodiscard]] unsigned number_of(std::string_view place);
/// Zero where there is no such section.
[[nodiscard]] unsigned number_of(protocol::Section section, unsigned step);

/// The table of docs/reading-results.md.
[[nodiscard]] std::string trace_numbers_as_markdown();

} // namespace reveille::vmm
