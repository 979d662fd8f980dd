// A set of interrupt vectors: IRR, ISR, TMR.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace reveille::vmm::lapic {

class VectorSet {
public:
  [[nodiscard]] bool has(std::uint8_t vector) const {
    return (words_[vector / 32] >> (vector % 32) & 1) != 0;
  }
  void add(std::uint8_t vector) { words_[vector / 32] |= 1u << (vector % 32); }
  void remove(std::uint8_t vector) { words_[vector / 32] &= ~(1u << (vector % 32)); }

  /// The one of the highest priority.
  [[nodiscard]] std::optional<std::uint8_t> highest() const {
    for (std::size_t i = words_.size(); i-- > 0;)
      if (words_[i] != 0)
        return static_cast<std::uint8_t>(i * 32 + 31 - static_cast<unsigned>(std::countl_zero(words_[i])));
    return std::nullopt;
  }

  /// Register 0..7 of the eight that show it; vector 0 is bit 0 of the first.
  [[nodiscard]] std::uint32_t word(std::size_t index) const { return words_[index % words_.size()]; }

  bool operator==(const VectorSet &) const = default;

private:
  std::array<std::uint32_t, 8> words_{};
};

} // namespace reveille::vmm::lapic
