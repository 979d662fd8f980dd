// Steps: what is done, and undone, on the way up. Points are fixed, steps are not.
#pragma once

#include "core/protocol/points.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace reveille::core {

using protocol::Section;

/// What a step works on: one attempt of one CPU.
struct StepTarget {
  unsigned cpu = 0;
  std::uint32_t attempt = 0;
  std::uint32_t token = 0; ///< the environment's: which per-CPU area the attempt has
};

struct StepInfo {
  std::string_view name;
  /// Whether it may run on several CPUs at once. If not, the CP lets one AP at a time into the
  /// section; of PREPARE, CPU 0 alone does it.
  bool concurrent = true;
  /// Whether the CP may run the teardown on the CPU's behalf, with proof that the attempt is over.
  bool remote_teardown = false;
};

/// How many steps each section has for one attempt.
struct StepCounts {
  unsigned prepare = 0;
  unsigned starting = 0;
  unsigned online = 0;
};

/// What has come of registering a step.
enum class Registered : std::uint8_t {
  kYes,
  kFull,      ///< there is no room for another step
  kDuplicate, ///< a step of that name is there, in whichever section
  kFrozen,    ///< an attempt is in flight
  kBadStep,   ///< no name, or no section that has steps
};

/// The steps, by section in the order of their registration. `Body` is what the environment
/// does for one. Written by CPU 0 alone, and by nobody while any attempt is in flight: the
/// driver freezes it. A step that is added while CPUs are up is done from their next attempt on.
template <class Body, unsigned kCapacity> class StepTable {
public:
  struct Step {
    Section section = Section::kNone;
    StepInfo info;
    Body body{};
  };

  constexpr Registered add(Section section, StepInfo info, Body body) {
    if (frozen_)
      return Registered::kFrozen;
    if (section == Section::kNone || section > Section::kOnline || info.name.empty())
      return Registered::kBadStep;
    for (unsigned i = 0; i < size_; ++i)
      if (steps_[i].info.name == info.name)
        return Registered::kDuplicate;
    if (size_ == kCapacity)
      return Registered::kFull;
    Order &order = orders_[static_cast<std::size_t>(section)];
    order.number[order.count++] = static_cast<std::uint8_t>(size_);
    steps_[size_++] = {section, info, body};
    return Registered::kYes;
  }

  void freeze(bool frozen) { frozen_ = frozen; }
  [[nodiscard]] bool is_frozen() const { return frozen_; }

  [[nodiscard]] constexpr unsigned size() const { return size_; }
  [[nodiscard]] constexpr unsigned count(Section section) const { return order(section).count; }
  /// The number of the i-th step of a section, in the order of registration of all steps.
  [[nodiscard]] constexpr unsigned number(Section section, unsigned i) const {
    return order(section).number[i];
  }
  [[nodiscard]] constexpr const Step &at(unsigned number) const { return steps_[number]; }
  [[nodiscard]] constexpr const Step &at(Section section, unsigned i) const {
    return steps_[number(section, i)];
  }

private:
  static_assert(kCapacity <= 255);
  struct Order {
    unsigned count = 0;
    std::array<std::uint8_t, kCapacity> number{};
  };
  [[nodiscard]] constexpr const Order &order(Section section) const {
    return orders_[static_cast<std::size_t>(section)];
  }

  std::array<Step, kCapacity> steps_{};
  unsigned size_ = 0;
  std::array<Order, 4> orders_{};
  bool frozen_ = false;
};

} // namespace reveille::core
