// What a later capability brings is refused by name, and not taken for a mistake.
#include "mistakes.hpp"

#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/support.hpp"

namespace reveille::vmm {
namespace {

std::string fault_with(const std::string &at, const std::string &action, const std::string &more = "") {
  return kEight + "[[fault]]\ncpu = 1\nat = \"" + at + "\"\naction = \"" + action + "\"\n" + more;
}

TEST(scenario, later_values_are_not_supported_yet) {
  expect_messages({
      {kEight + "[guest]\nx = 1", "3:2: guest: not supported yet"},
  });
}

TEST(scenario, defaults_of_later_keys_are_accepted) {
  expect_accepted({
      kEight + "apic = \"kernel\"",
      fault_with("alive", "stall", "probability = 1.0\ncount = 3"),
      fault_with("alive", "stall", "probability = 1"),
  });
}

TEST(scenario, somebody_can_do_whatever_fits) {
  for (const MatrixColumn &column : matrix_columns())
    for (const ActionRow &action : all_actions())
      EXPECT_EQ(performers(column.kind, action.action).empty(), fit(column.kind, action.action) == Fit::kNo)
          << column.heading << ", " << action.name;
}

} // namespace
} // namespace reveille::vmm
