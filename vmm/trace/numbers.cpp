#include "vmm/trace/numbers.hpp"

#include "core/protocol/guest_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace reveille::vmm {

unsigned number_of(std::string_view place) {
  const auto *row = std::ranges::find(kPlaceNumbers, place, &PlaceNumber::place);
  return row == kPlaceNumbers.end() ? kOffline : row->number;
}

unsigned number_of(protocol::Section section, unsigned step) {
  const auto *row = std::ranges::find(kSectionNumbers, section, &SectionNumbers::section);
  return row == kSectionNumbers.end() ? kOffline : row->first + std::min(step, row->last - row->first);
}

std::string trace_numbers_as_markdown() {
  std::multimap<unsigned, std::string> rows;
  for (const PlaceNumber &row : kPlaceNumbers)
    rows.emplace(row.number, fmt::format("`{}`", row.place));
  for (const SectionNumbers &row : kSectionNumbers)
    rows.emplace(row.first,
                 fmt::format("the {} steps, in their order, up to {}", name(row.section), row.last));
  std::string text = fmt::format("| step | what |\n|---|---|\n| {} | offline: the target of a CPU that goes "
                                 "down |\n",
                                 kOffline);
  for (const auto &[number, what] : rows)
    text += fmt::format("| {} | {} |\n", number, what);
  return text;
}

} // namespace reveille::vmm
