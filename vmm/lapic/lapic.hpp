// One local APIC, by the manual (SDM 3, chapter 11).
#pragma once

#include "vmm/lapic/bus.hpp"
#include "vmm/lapic/clock.hpp"
#include "vmm/lapic/inbox.hpp"
#include "vmm/lapic/timer.hpp"
#include "vmm/lapic/vector_set.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace reveille::vmm::lapic {

/// The rule of threads: a LAPIC belongs to the thread that runs its CPU, and no other calls
/// anything of it, but for inbox().post(). What others must know of it to send, its Address, it publishes
/// on the bus in one atomic word; what they send waits in the inbox until take(). So no register
/// is ever seen by two threads, and nothing here is locked.
///
/// It has no pins and no system management mode: LVT LINT0, LINT1, thermal and performance are
/// registers that nothing raises, SMI and ExtINT messages are dropped.
class Lapic {
public:
  struct Identity {
    std::size_t index;  ///< on the bus
    std::uint32_t id;   ///< initial x2APIC ID
    bool is_bsp;        ///< the bootstrap processor: IA32_APIC_BASE says so
    bool offers_x2apic; ///< as CPUID says; without it the EXTD bit is reserved
  };

  /// As after power-up (11.4.7.1): in xAPIC mode, at the default address. `bus` and `clock` outlive it.
  Lapic(const Identity &identity, Bus &bus, const Clock &clock);

  /// Any thread posts; the owner takes.
  [[nodiscard]] Inbox &inbox() { return inbox_; }

  // What the guest sees. False, or nothing: the access is a #GP and has changed nothing.

  [[nodiscard]] std::uint64_t base() const { return base_; } ///< IA32_APIC_BASE
  [[nodiscard]] bool write_base(std::uint64_t value);        ///< 11.12.5 "x2APIC State Transitions"
  [[nodiscard]] Mode mode() const;

  [[nodiscard]] static bool is_msr(std::uint32_t index);
  [[nodiscard]] std::optional<std::uint64_t> read_msr(std::uint32_t index);
  [[nodiscard]] bool write_msr(std::uint32_t index, std::uint64_t value);

  /// Whether an access to guest-physical memory is for it: xAPIC mode, and within its page.
  [[nodiscard]] bool is_at(std::uint64_t gpa) const;
  /// 11.4.1: registers are read and written as aligned 32 bits. Narrower reads of one get that
  /// part of it; all else reads as 0 and writes nothing, without an error.
  [[nodiscard]] std::uint64_t read_mmio(std::uint64_t gpa, unsigned size);
  void write_mmio(std::uint64_t gpa, unsigned size, std::uint64_t value);

  // What its CPU sees.

  /// Takes what is in the inbox: interrupts go to IRR. What is left is the CPU's to act on: an INIT,
  /// which the LAPIC has had by then (11.4.7.3), a SIPI, an NMI.
  [[nodiscard]] Mail take();

  /// The interrupt that the CPU is to take when it can: the highest in IRR whose priority class is
  /// above PPR's (11.8.3 "Interrupt, Task, and Processor Priority").
  [[nodiscard]] std::optional<std::uint8_t> deliverable() const;
  /// The CPU takes it: from IRR to ISR (11.8.4).
  void acknowledge(std::uint8_t vector);

  /// CR8 is TPR's upper half (11.8.6 "Task Priority in IA-32e Mode").
  [[nodiscard]] std::uint8_t cr8() const { return static_cast<std::uint8_t>(task_priority_ >> 4); }
  void set_cr8(std::uint8_t value);

  /// Looks at the clock: a timer that is due raises its interrupt.
  void advance();
  /// When advance() will next make an interrupt pending; nothing while that would change nothing.
  [[nodiscard]] std::optional<std::uint64_t> due_ns() const;

private:
  enum LvtIndex : std::uint8_t { kTimer, kThermal, kPerformance, kLint0, kLint1, kError, kLvts };

  void reset();
  void publish();
  void accept(std::uint8_t vector, bool level);
  void raise(LvtIndex entry);
  void note_error(std::uint32_t bit);

  [[nodiscard]] std::uint32_t read(Register reg);
  [[nodiscard]] std::uint32_t read_priority(Register reg) const;
  void write(Register reg, std::uint32_t value);
  void write_lvt(LvtIndex entry, std::uint32_t value);
  void write_spurious(std::uint32_t value);
  void send(std::uint32_t low, std::uint32_t high);
  void end_interrupt();

  [[nodiscard]] bool is_enabled() const { return (spurious_ & Spurious::kEnable) != 0; } ///< by software
  [[nodiscard]] std::uint8_t processor_priority() const;

  const Identity identity_;
  Bus &bus_;
  const Clock &clock_;
  Inbox inbox_;
  Timer timer_;
  std::uint64_t base_;
  VectorSet requested_;  ///< IRR
  VectorSet in_service_; ///< ISR
  VectorSet level_;      ///< TMR
  std::array<std::uint32_t, kLvts> lvt_{};
  std::uint32_t task_priority_ = 0;
  std::uint32_t spurious_ = 0;
  std::uint32_t logical_ = 0; ///< LDR, xAPIC mode
  std::uint32_t format_ = 0;  ///< DFR
  std::uint32_t icr_low_ = 0;
  std::uint32_t icr_high_ = 0;
  std::uint32_t errors_ = 0;       ///< since the last write to ESR
  std::uint32_t error_status_ = 0; ///< ESR, as it reads
  bool error_armed_ = true;        ///< a further error raises LVT error
};

} // namespace reveille::vmm::lapic
