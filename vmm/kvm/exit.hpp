// Why a vCPU came back from KVM_RUN, as one closed set of types.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

namespace reveille::vmm {

/// The guest wrote to a port: `count` items of `size` bytes (1, 2, 4), more than one for a
/// string instruction. `data` lies in the vCPU's own page: it is good until the next run().
struct IoOut {
  std::uint16_t port;
  std::uint8_t size;
  std::uint32_t count;
  std::span<const std::uint8_t> data; ///< size * count bytes, less if the kernel claims more than fit

  /// Item `index`, little-endian; 0 beyond the end.
  [[nodiscard]] std::uint32_t value(std::uint32_t index = 0) const;
};

/// The guest reads a port; answer with Vcpu::reply_io before the next run().
struct IoIn {
  std::uint16_t port;
  std::uint8_t size;
  std::uint32_t count;
};

/// The guest reads memory that is not there; answer with Vcpu::reply_mmio.
struct MmioRead {
  std::uint64_t gpa;
  std::uint8_t size; ///< bytes, 1..8
};
struct MmioWrite {
  std::uint64_t gpa;
  std::uint8_t size; ///< bytes, 1..8
  std::uint64_t value;
};

/// An MSR access that KVM hands over; answer a read with Vcpu::reply_msr.
struct MsrRead {
  std::uint32_t index;
};
struct MsrWrite {
  std::uint32_t index;
  std::uint64_t value;
};

/// Without LAPICs in the kernel: the guest can take an interrupt now, as
/// Vcpu::want_interrupt_window asked; or it has lowered its CR8.
struct InterruptWindow {};

struct Hlt {};      ///< halted, and no LAPIC in the kernel to wake it
struct Shutdown {}; ///< triple fault; running it again repeats it

/// KVM could not go on. For suberror 1 (emulation) the instruction's bytes, as far as KVM
/// could fetch them.
struct InternalError {
  std::uint32_t suberror;
  std::array<std::uint8_t, 15> bytes;
  std::uint8_t length; ///< of bytes that are meaningful
};
struct FailEntry {
  std::uint64_t hardware_reason;
  std::uint32_t host_cpu;
};
struct SystemEvent {
  std::uint32_t type; ///< KVM_SYSTEM_EVENT_...
};
struct Debug {
  std::uint32_t exception; ///< vector: 1 #DB, 3 #BP
  std::uint64_t pc;        ///< linear
  std::uint64_t dr6;
};

/// Came out because of Vcpu::kick or another signal. May be spurious.
struct Interrupted {};

/// KVM_RUN itself failed.
struct RunFailed {
  int error; ///< errno
};

/// A reason that this lab never asks for.
struct UnknownExit {
  std::uint32_t reason; ///< KVM_EXIT_...
};

using Exit = std::variant<IoOut, IoIn, MmioRead, MmioWrite, MsrRead, MsrWrite, InterruptWindow, Hlt, Shutdown,
                          InternalError, FailEntry, SystemEvent, Debug, Interrupted, RunFailed, UnknownExit>;

/// One line for logs and reports; every value of Exit has one.
[[nodiscard]] std::string describe(const Exit &exit);

} // namespace reveille::vmm
