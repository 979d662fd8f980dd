// A vCPU as the host found it when the run was over. Registers and code come from the guest and
// are untrusted: any value, any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

/// What instructions a CPU reads: by CS and EFER.
enum class CodeWidth : std::uint8_t { k16 = 16, k32 = 32, k64 = 64 };

struct Registers {
  std::uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rbp = 0, rsp = 0;
  std::uint64_t r8 = 0, r9 = 0, r10 = 0, r11 = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
  std::uint64_t rip = 0; ///< as the CPU has it: outside 64-bit mode relative to CS
  std::uint64_t rflags = 0;
  std::uint64_t cr0 = 0, cr3 = 0, cr4 = 0;
  std::uint16_t cs = 0; ///< the selector
};

/// What lies around the instruction that a CPU is at.
struct CodeBytes {
  std::uint64_t begin = 0; ///< linear address of the first byte
  std::uint64_t rip = 0;   ///< linear address of the instruction; within the bytes
  CodeWidth width = CodeWidth::k64;
  std::vector<std::uint8_t> bytes; ///< at most kMost

  static constexpr std::size_t kBefore = 48; ///< bytes in front of the instruction
  static constexpr std::size_t kBehind = 64; ///< from its first byte on
  static constexpr std::size_t kMost = kBefore + kBehind;
};

/// When a vCPU had the registers and the code that are told of it.
enum class Moment : std::uint8_t {
  kEnd,        ///< of the run
  kBeforeInit, ///< before the last INIT of its attempt
  kPanic,      ///< when it said that it panicked; the code is where, by what it said
};

struct VcpuSnapshot {
  std::string mp_state; ///< "runnable", "halted", ...
  std::uint64_t rip = 0;
  std::string where;                    ///< symbol and source line of rip
  bool held = false;                    ///< by a fault
  std::optional<std::size_t> by;        ///< which, index in Scenario::faults
  std::uint64_t rsp = 0;                ///< 0 too: a simulated CPU, which has none
  bool refused = false;                 ///< stands where an AP ends that may not claim
  bool at_reset = false;                ///< its registers are as an INIT leaves them
  Moment moment = Moment::kEnd;         ///< of the registers and the code
  std::uint64_t was_at = 0;             ///< where it was then, linear; not at kEnd
  std::string was_in{};                 ///< the same as symbol and source line
  std::optional<Registers> registers{}; ///< none: a simulated CPU
  std::optional<CodeBytes> code{};      ///< none: what rip points to is not mapped, or no RAM
};

} // namespace reveille::vmm
