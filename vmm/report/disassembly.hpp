// The instructions around the one that a CPU is at, from bytes that may be anything.
#pragma once

#include "vmm/judge/vcpu_snapshot.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::vmm {

struct CodeLine {
  std::uint64_t address = 0; ///< linear
  std::string bytes;         ///< "f3 90"
  std::string text;          ///< "pause", in AT&T's syntax; ".byte 0x06" of what is no instruction
  bool here = false;         ///< the CPU is at it
};

/// At most `before` instructions in front of the one at code.rip, that one, and `behind` more. Those in front
/// are where decoding comes out at code.rip from as far ahead of it as it does; x86 code cannot be
/// read backwards, so that they are likely, not certain. Empty when code.rip is not in the bytes.
[[nodiscard]] std::vector<CodeLine> disassemble(const CodeBytes &code, std::size_t before,
                                                std::size_t behind);

} // namespace reveille::vmm
