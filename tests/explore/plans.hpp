// All plans of a kind, by number: every fault at every place of every CPU, or every two of them,
// in every strategy, for every order in which the APs can arrive.
#pragma once

#include "tests/explore/catalogue.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reveille::explore {

/// ranks[i]: how many APs come before AP i + 1.
using Order = std::vector<unsigned>;

/// What a plan is a choice of, beside its faults.
struct Variant {
  abi::Strategy strategy{};
  abi::Stop stop{};
  std::size_t own = 0;  ///< which order, at the places of the faults
  std::size_t rest = 0; ///< and at all others
};

/// The faults of a plan, and what must be fixed with them.
struct Shape {
  std::array<std::uint16_t, 2> faults{};  ///< in the catalogue
  std::array<std::uint8_t, 2> attempts{}; ///< that they strike; 0: every
  std::array<std::uint8_t, 2> cycles{};   ///< likewise
  std::uint8_t count = 1;                 ///< how many faults
  std::uint8_t of_attempts = 1;           ///< bringup.attempts
  std::uint8_t of_cycles = 1;             ///< bringup.cycles
};

/// Where the strikes by time come: each at a fraction of the way through the moments at which, in
/// a run without it, something happens to the CPU that is struck. As many fractions as there are
/// moments, or more, make all of them; a multiple of three.
struct Moments {
  unsigned count;
};

class Plans {
public:
  /// All plans of `faults` faults (1 or 2), on `aps` APs. May be asked by several threads.
  Plans(vmm::CpuIndex aps, unsigned faults, Moments moments);

  [[nodiscard]] std::size_t shapes() const { return shapes_.size(); }
  [[nodiscard]] std::size_t variants() const { return variants_.size(); }

  /// Nothing: the scenario's own check refuses what the shape asks for.
  [[nodiscard]] std::optional<vmm::Scenario> of_shape(std::size_t shape) const;

  /// The plan itself, from what of_shape() has made. Nothing: there is another one that is the
  /// same.
  [[nodiscard]] std::optional<vmm::Scenario> plan(const vmm::Scenario &of_shape, std::size_t variant) const;

private:
  void list_variants();
  void list_catalogue();
  void list_single();
  void list_pairs();
  void add_pair(std::uint16_t first, std::uint16_t second);
  void measure_healthy();
  [[nodiscard]] vmm::Scenario healthy(const Variant &variant) const;
  void order(vmm::Scenario &scenario, const Variant &variant) const;
  [[nodiscard]] bool place_in_time(vmm::Scenario &scenario, const Variant &variant) const;
  [[nodiscard]] bool place_in_time(vmm::FaultSpec &fault, const std::vector<double> &moments) const;
  [[nodiscard]] std::vector<double> moments_of(const vmm::Scenario &without, const Variant &variant,
                                               vmm::CpuIndex cpu) const;

  vmm::CpuIndex aps_;
  Moments moments_;
  std::vector<Order> orders_;
  std::vector<Variant> variants_;
  std::vector<vmm::FaultSpec> catalogue_;
  std::vector<Shape> shapes_;
  std::vector<std::vector<double>> healthy_; ///< ms, by cycles, strategy, order and CPU
};

} // namespace reveille::explore
