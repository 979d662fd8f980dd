// The arrival map: how any number of APs tell one control CPU that they have arrived,
// with one interrupt for all that arrive while it is not looking, and without a scan.
#pragma once

#include "core/environment.hpp"

#include <array>
#include <bit>
#include <cstddef>

namespace reveille::core {

/// One bit per CPU, and above it summaries of 64 to 1, up to a single word. Everything in
/// it is only a hint: the truth is in the sync words. Shared by all CPUs; never freed.
template <AtomicCell A, unsigned kCapacity> class Arrivals {
  static_assert(kCapacity >= 1);

public:
  /// Sets the CPU's bit and its summaries. True when the map was empty, so that the
  /// control CPU must be woken; else whoever made it non-empty does that.
  ///
  /// Every caller sets every level itself: an AP that dies between two of them delays
  /// nobody else's arrival.
  [[nodiscard]] bool raise(unsigned cpu) {
    std::uint64_t before = 0;
    unsigned index = cpu;
    for (unsigned level = 0; level < kLevels; ++level) {
      // Release: pairs with the exchange in drain(), so that who sees the bit sees the
      // level below it, and at last the sync word.
      before = cell(level, index / 64).fetch_or(std::uint64_t{1} << (index % 64), std::memory_order_release);
      index /= 64;
    }
    return before == 0;
  }

  /// Whether anything has been raised since the last drain. For the control CPU, to look
  /// before it halts.
  [[nodiscard]] bool any() { return cell(kLevels - 1, 0).load(std::memory_order_relaxed) != 0; }

  /// Takes every bit out and calls visit(cpu) for each. By the control CPU alone.
  template <class Visit> void drain(Visit &&visit) { drain_cell(kLevels - 1, 0, visit); }

private:
  static constexpr unsigned words(unsigned bits) { return (bits + 63) / 64; }
  static constexpr unsigned level_count() {
    unsigned levels = 1;
    for (unsigned n = words(kCapacity); n > 1; n = words(n))
      ++levels;
    return levels;
  }
  static constexpr unsigned kLevels = level_count();

  static constexpr auto offsets() {
    std::array<unsigned, kLevels + 1> at{};
    unsigned n = words(kCapacity);
    for (unsigned level = 0; level < kLevels; ++level) {
      at[level + 1] = at[level] + n;
      n = words(n);
    }
    return at;
  }
  static constexpr std::array<unsigned, kLevels + 1> kOffset = offsets();

  A &cell(unsigned level, unsigned index) { return cells_[kOffset[level] + index]; }

  template <class Visit> void drain_cell(unsigned level, unsigned index, Visit &visit) {
    // Acquire: pairs with the fetch_or in raise().
    std::uint64_t bits = cell(level, index).exchange(0, std::memory_order_acquire);
    while (bits != 0) {
      const unsigned child = index * 64 + static_cast<unsigned>(std::countr_zero(bits));
      bits &= bits - 1;
      if (level == 0)
        visit(child);
      else
        drain_cell(level - 1, child, visit);
    }
  }

  std::array<A, kOffset[kLevels]> cells_{};
};

} // namespace reveille::core
