// The nearest valid name to one that is not.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

/// How many letters must be added, removed, replaced or swapped with their neighbour to
/// turn one name into the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The valid name that `wrong` is most likely a misspelling of; empty when none is near.
[[nodiscard]] std::string_view nearest(std::string_view wrong, std::span<const std::string_view> valid);

/// `; did you mean "x"?`, or what is valid when nothing is near.
[[nodiscard]] std::string suggestion(std::string_view wrong, std::span<const std::string_view> valid);

} // namespace reveille::vmm
