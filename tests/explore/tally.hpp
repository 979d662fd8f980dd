// What many runs have shown: how many there were, which invariants were judged in how many of
// them, and the plans that failed, kept as scenario files.
#pragma once

#include "tests/explore/run.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace reveille::explore {

class Tally {
public:
  /// Counts a run; `wrong`: what is wrong with it. `number` tells which plan it was, and of those
  /// that fail alike the one with the lowest is kept.
  void add(std::size_t number, const vmm::Scenario &scenario, const Ran &ran,
           const std::vector<std::string> &wrong);
  /// Another thread's.
  void add(const Tally &other);

  [[nodiscard]] std::uint64_t runs() const { return runs_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

  /// A line for each invariant: in how many runs it held, was broken, and was not judged.
  [[nodiscard]] std::string table() const;
  /// How many runs had every fault fire, and how many CPUs came to which end.
  [[nodiscard]] std::string summary() const;

  /// Writes a scenario file for each way to fail into a folder, which it makes; says which, and
  /// what was wrong. Throws std::runtime_error when it cannot.
  [[nodiscard]] std::string write_failures(const std::string &folder, const std::string &name) const;

private:
  struct Counts {
    std::uint64_t held = 0;
    std::uint64_t broken = 0;
    std::uint64_t not_judged = 0;
  };
  struct Failure {
    std::size_t number;
    vmm::Scenario scenario;
    std::vector<std::string> wrong;
    std::uint64_t times = 1;
  };

  void keep(const std::string &kind, const Failure &failure);

  std::uint64_t runs_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t all_fired_ = 0;
  std::map<std::string_view, Counts> invariants_;
  std::map<std::string, std::uint64_t> ends_; ///< CPUs, by what became of them
  std::map<std::string, Failure> failures_;   ///< by what they have in common
};

/// A scenario as a file that `vmm run --backend sim` repeats: what is wrong with its run stands
/// in front, as comments.
[[nodiscard]] std::string to_file(const vmm::Scenario &scenario, const std::vector<std::string> &wrong);

/// Writes a file; throws std::runtime_error when it cannot.
void write_file(const std::string &path, const std::string &text);

} // namespace reveille::explore
