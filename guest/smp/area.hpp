// Per-CPU areas: what one attempt of one AP runs on. A fresh one for each attempt.
#pragma once

#include "core/environment.hpp"
#include "guest/x86/descriptors.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace reveille::guest::smp {

/// Answers work that is sent to a CPU by interrupt. The counts are written by that CPU alone.
struct Worker {
  std::uint64_t asked;
  volatile std::uint64_t answered; ///< by the handler, which interrupts the asker
};

struct alignas(4096) Area {
  static constexpr std::uint64_t kGuard = 0x5afe'57ac'c0de'cafe;
  static constexpr std::size_t kStackSize = 8 << 10;
  static constexpr std::size_t kIstStackSize = 2 << 10;

  /// At the low end of the stack, which grows down to it. Overwritten: the stack was too small,
  /// or someone else's. The top of the stack above it.
  std::uint64_t guard[2];
  alignas(16) std::byte stack[kStackSize];
  alignas(16) std::byte ist_stack[x86::kIstStacks][kIstStackSize];
  x86::CpuTables tables;
  Worker worker;
  core::Failure failure;                ///< of a failed step; the AP while it owns the word
  std::atomic<std::uint32_t> next_free; ///< token, while the area is in the pool

  [[nodiscard]] bool is_whole() const { return guard[0] == kGuard && guard[1] == kGuard; }
};
static_assert(sizeof(Area) == 16384);

/// All areas. Taken and put back by control CPUs, any of them at once and without waiting for
/// each other; an area in use is its AP's.
class AreaPool {
public:
  /// `areas` is not cleared: an area is made ready when it is taken.
  void init(Area *areas, std::uint32_t count) {
    areas_ = areas;
    count_ = count;
  }

  /// A token, 0: there is none left.
  [[nodiscard]] std::uint32_t take();
  void put(std::uint32_t token);

  /// Of a token that take() gave out. Any AP may ask.
  [[nodiscard]] Area &at(std::uint32_t token) const { return areas_[token - 1]; }

private:
  [[nodiscard]] std::uint32_t take_free();
  [[nodiscard]] std::uint32_t take_unused();

  Area *areas_ = nullptr;
  std::uint32_t count_ = 0;
  std::atomic<std::uint32_t> unused_ = 0; ///< areas from here on have never been taken
  std::atomic<std::uint64_t> free_ = 0;   ///< token of the last that was put back, 0: none
};

} // namespace reveille::guest::smp
