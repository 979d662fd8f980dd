// A number for many, to see that none of them has changed.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace reveille::vmm {

/// FNV-1a of 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): of bytes, or of whole words in their
/// place.
class Digest {
public:
  constexpr void add(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3; }
  constexpr void add(std::initializer_list<std::uint64_t> values) {
    for (const std::uint64_t value : values)
      add(value);
  }
  [[nodiscard]] constexpr std::uint64_t value() const { return hash_; }

private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

} // namespace reveille::vmm
