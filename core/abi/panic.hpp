// What a CPU writes that cannot go on: an event of kind EventKind::kPanic, whose a is where it was.
#pragma once

#include <cstdint>

namespace reveille::abi {

/// Stands for the vector of a panic that no exception has caused: a broken invariant. No interrupt of the
/// guest has it.
inline constexpr std::uint8_t kBrokenInvariant = 0xfe;

/// kPanic's b: the exception's vector in 7:0, the point that the CPU owed in 31:8, the error code in 63:32.
[[nodiscard]] constexpr std::uint64_t panicked(std::uint64_t vector, unsigned owed, std::uint64_t error) {
  return (vector & 0xff) | (std::uint64_t{owed} << 8) | (error << 32);
}

} // namespace reveille::abi
