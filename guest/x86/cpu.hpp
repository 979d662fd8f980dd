// The instructions that C++ has no word for, one function each.
#pragma once

#include <atomic>
#include <cstdint>

namespace reveille::guest::x86 {

/// CPUID output registers.
struct Cpuid {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

[[nodiscard]] inline Cpuid cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Cpuid r;
  asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
  return r;
}

/// Whether a hypervisor says that it is one.
[[nodiscard]] inline bool is_virtual() {
  constexpr std::uint32_t kHypervisorPresent = 1u << 31; // CPUID.01H:ECX
  return (cpuid(1).ecx & kHypervisorPresent) != 0;
}

[[nodiscard, gnu::always_inline]] inline std::uint64_t rdmsr(std::uint32_t msr) {
  std::uint32_t low = 0, high = 0;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
  return (std::uint64_t{high} << 32) | low;
}

[[gnu::always_inline]] inline void wrmsr(std::uint32_t msr, std::uint64_t value) {
  asm volatile("wrmsr"
               :
               : "c"(msr), "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32))
               : "memory");
}

/// The time stamp counter. Not rdtscp: a KVM that interprets supervisor code may not know it.
[[nodiscard]] inline std::uint64_t rdtsc() {
  std::uint64_t low = 0, high = 0; // the upper halves are cleared (SDM vol. 2B, "RDTSC")
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (high << 32) | low;
}

inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

inline void out32(std::uint16_t port, std::uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

[[nodiscard]] inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value = 0;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}

[[nodiscard]] inline std::uint32_t in32(std::uint16_t port) {
  std::uint32_t value = 0;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}

inline void pause() { asm volatile("pause" : : : "memory"); }
inline void interrupts_off() { asm volatile("cli" : : : "memory"); }
inline void interrupts_on() { asm volatile("sti" : : : "memory"); }

/// Turns interrupts on and halts, with no instruction in between that could take one:
/// STI holds interrupts off until after the next instruction (SDM vol. 2B, "STI").
inline void interrupts_on_and_halt() { asm volatile("sti\n\thlt" : : : "memory"); }

[[nodiscard]] inline bool interrupts_are_on() {
  std::uint64_t flags = 0;
  asm volatile("pushfq\n\tpopq %0" : "=r"(flags) : : "memory");
  return ((flags >> 9) & 1) != 0; // EFLAGS.IF, SDM vol. 1, 3.4.3 "EFLAGS Register"
}

/// Orders all loads and stores before it ahead of those behind it.
[[gnu::always_inline]] inline void full_barrier() { std::atomic_thread_fence(std::memory_order_seq_cst); }

/// Stops this CPU for good.
[[noreturn]] inline void halt_forever() {
  for (;;)
    asm volatile("cli\n\thlt" : : : "memory");
}

} // namespace reveille::guest::x86
