// Who can do which action at which place: the backends, and KVM's LAPIC modes.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/scenario/places.hpp"

#include <cstdint>
#include <string>

namespace reveille::vmm {

/// What runs a scenario, as far as faults can tell them apart.
enum class Performer : std::uint8_t { kKernel, kSplit, kUser, kSim };

/// A set of them.
class Performers {
public:
  constexpr Performers() = default;
  constexpr Performers(std::initializer_list<Performer> list) {
    for (const Performer each : list)
      bits_ |= bit(each);
  }
  [[nodiscard]] constexpr bool has(Performer one) const { return (bits_ & bit(one)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr Performers operator|(Performers other) const {
    other.bits_ |= bits_;
    return other;
  }
  friend constexpr bool operator==(const Performers &, const Performers &) = default;

private:
  static constexpr unsigned bit(Performer one) { return 1u << static_cast<unsigned>(one); }
  unsigned bits_ = 0;
};

/// Who can do the action at places of that kind. Empty: it does not go there, or nobody can yet.
[[nodiscard]] Performers performers(PlaceKind kind, Action action);

[[nodiscard]] Performer performer_of(const Scenario &scenario);

/// Fails with kUnsupported when the scenario has a fault that its backend and LAPIC mode cannot do,
/// and another could.
[[nodiscard]] Result<void> check_support(const Scenario &scenario);

/// In words: "yes", "kvm".
[[nodiscard]] std::string in_words(Performers performers);
/// Of whatever goes there, or of wherever it goes.
[[nodiscard]] std::string who_supports(PlaceKind kind);
[[nodiscard]] std::string who_supports(Action action);

/// The kinds of places that the matrix of actions and places has, with their headings.
struct MatrixColumn {
  std::string_view heading;
  PlaceKind kind;
};
[[nodiscard]] std::span<const MatrixColumn> matrix_columns();

/// The cell of the matrix: "yes", "no", "with a duration", "kvm".
[[nodiscard]] std::string matrix_cell(PlaceKind kind, Action action);

/// The matrix in docs/faults.md.
[[nodiscard]] std::string fits_as_markdown();

} // namespace reveille::vmm
