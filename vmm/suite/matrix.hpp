// Which faults the runs of a suite have had: each action at each place, and what became of the CPUs.
#pragma once

#include "vmm/scenario/places.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reveille::vmm {

/// A row of the matrix.
struct MatrixPlace {
  std::string_view name; ///< "alive.released", "steps, done"
  PlaceKind kind;
  bool exact; ///< it is the place with that name, not all of the kind
};

/// All places, points and the way down one by one, in the order of the tables.
[[nodiscard]] std::vector<MatrixPlace> matrix_places();

/// The row that an `at` of a scenario belongs to; their number where it is none.
[[nodiscard]] std::size_t place_of(const std::vector<MatrixPlace> &places, const std::string &at);

/// How far an action at a place can be had.
enum class Reach : unsigned char {
  kNowhere,
  kElsewhere, ///< on another backend
  kHere,      ///< on this one, in at least one of its LAPIC modes
};
[[nodiscard]] Reach reach_of(const MatrixPlace &place, Action action, Backend backend);

/// An action at a place, as far as it was tried.
struct MatrixCell {
  std::vector<std::size_t> runs;               ///< those that had it, each once, as they were added
  std::map<std::string, std::size_t> outcomes; ///< of CPUs that it struck: "online", "timeout@alive"
  std::size_t not_fired = 0;                   ///< CPUs that it was to strike and did not
};

class Matrix {
public:
  /// Takes the faults of a run and what became of their CPUs from its result (JSON; of one that is none,
  /// nothing is taken).
  void add(std::size_t run, const std::string &result);

  /// By place and action, their indices in matrix_places() and all_actions().
  using Cells = std::map<std::pair<std::size_t, std::size_t>, MatrixCell>;
  [[nodiscard]] const Cells &cells() const { return cells_; }
  [[nodiscard]] const std::vector<MatrixPlace> &places() const { return places_; }

private:
  std::vector<MatrixPlace> places_ = matrix_places();
  Cells cells_;
};

} // namespace reveille::vmm
