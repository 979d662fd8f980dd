// The host's side of the control page, the CPU slots and the event rings. What the guest
// writes there is untrusted: addresses and capacities are the host's own, counts are cut to
// them, names are made printable.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/abi/word.hpp"
#include "vmm/base/error.hpp"
#include "vmm/machine/guest_memory.hpp"
#include "vmm/scenario/roster.hpp"
#include "vmm/scenario/scenario.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reveille::vmm {

/// What the guest says of the run so far, from GuestReport.
struct ReportView {
  std::uint64_t zero_tsc = 0;    ///< 0: not yet
  std::uint64_t decided_tsc = 0; ///< 0: not yet
  std::uint32_t kicks = 0;
  std::uint32_t found_cpus = 0;
  std::uint32_t refusal = 0; ///< abi::Refusal, any number
};

/// What the guest says it keeps for ever, by abi::Keep; nothing where it says nothing, or what cannot be.
/// Not necessarily RAM.
using KeptRanges = std::array<std::optional<GuestRange>, static_cast<std::size_t>(abi::Keep::kCount)>;

/// A CPU's sync line. Unless the guest is stopped its members are from different moments.
struct SyncView {
  std::uint64_t word = 0; ///< any bits: ask abi::Word::is_valid
  std::uint32_t ordinal = 0;
  std::uint32_t cycle = 0;
  std::uint32_t apic_id = 0; ///< 0 until the guest has read its tables
  std::uint32_t control = 0; ///< the CPU that brings this one up; any number
};

struct RingView {
  std::vector<abi::Event> events; ///< kinds and CPU numbers unchecked
  std::uint32_t lost = 0;         ///< events that the guest says have ever found no room
  bool overrun = false;           ///< the guest's count is none that can be; there are no events then
};

struct StepView {
  std::uint8_t section; ///< protocol::Section, any number
  std::string name;     ///< printable ASCII, other bytes as '?', at most 23
};

/// Where the parts of the area are. All addresses are guest-physical.
struct ControlLayout {
  GuestRange range; ///< the whole area, page-aligned
  std::uint64_t page = 0;
  std::uint64_t slots = 0;
  std::uint64_t rings = 0;            ///< CPU 0's, then the others'
  std::uint32_t cp_ring_capacity = 0; ///< events
  std::uint32_t ap_ring_capacity = 0; ///< events

  [[nodiscard]] std::uint64_t ring(CpuIndex cpu) const;
  [[nodiscard]] std::uint32_t ring_capacity(CpuIndex cpu) const;
  friend bool operator==(const ControlLayout &, const ControlLayout &) = default;
};

/// Puts the area at the top of the RAM that ends at `low_end`. Fails with kUsage when that
/// leaves less than the first MiB to the guest.
[[nodiscard]] Result<ControlLayout> lay_out_control_area(const MachineSpec &machine,
                                                         const BringupSpec &bringup, std::uint64_t low_end);

/// Clocks that the guest cannot know by itself.
struct GuestClocks {
  std::uint64_t tsc_khz = 0;  ///< 0: unknown
  std::uint64_t lapic_hz = 0; ///< 0: unknown
};

/// Refers to guest memory, does not own it: the memory must outlive it. All functions but
/// take_events() may be called by any thread at any time; `cpu` must be below cpus(). CPUs are the
/// scenario's: the guest's own numbers (Roster) stay in here.
class ControlArea {
public:
  /// Writes the host's half of the page and of every slot.
  [[nodiscard]] static Result<ControlArea> create(const GuestMemory &memory, const ControlLayout &layout,
                                                  const Scenario &scenario, GuestClocks clocks);

  /// The area of a guest that has been put back to where it stood at time zero: nothing is armed, no event
  /// has been taken out, and what the guest has written stays.
  [[nodiscard]] static Result<ControlArea> resume(const GuestMemory &memory, const ControlLayout &layout,
                                                  const Scenario &scenario, GuestClocks clocks);

  /// What the page asks for, for `scenario`.
  [[nodiscard]] static abi::Request request_of(const Scenario &scenario, const ControlLayout &layout,
                                               GuestClocks clocks);

  [[nodiscard]] const ControlLayout &layout() const { return layout_; }
  [[nodiscard]] const abi::Request &request() const { return request_; }
  [[nodiscard]] std::uint32_t cpus() const { return cpus_; }
  [[nodiscard]] const Roster &roster() const { return roster_; }

  [[nodiscard]] std::uint64_t word_bits(CpuIndex cpu) const; ///< acquire
  [[nodiscard]] abi::Word word(CpuIndex cpu) const { return abi::Word::from(word_bits(cpu)); }
  [[nodiscard]] SyncView sync(CpuIndex cpu) const;
  [[nodiscard]] ReportView report() const;
  [[nodiscard]] std::vector<StepView> steps() const;
  [[nodiscard]] KeptRanges kept() const;

  /// How many events the guest says that `cpu` has written, and those that found no room.
  [[nodiscard]] std::uint32_t recorded(CpuIndex cpu) const;

  /// Has the guest ring the doorbell at `place` of `cpu`, or no longer.
  void arm(CpuIndex cpu, abi::Place place);
  void disarm(CpuIndex cpu, abi::Place place);
  [[nodiscard]] std::uint64_t armed(CpuIndex cpu) const;

  /// What the step at whose doorbell `cpu` stands is to return instead of being done; 0: do it.
  void answer_step(CpuIndex cpu, int error);

  // What faults do to guest memory. At any time: other CPUs may be at the same word.

  /// Flips bits of `cpu`'s sync word; puts other bits in its place. What it was before.
  std::uint64_t flip_word(CpuIndex cpu, std::uint64_t bits);
  std::uint64_t put_word(CpuIndex cpu, std::uint64_t bits);

  /// Puts one event of garbage into `cpu`'s ring, as if it had written it. The vCPU must be stopped, and
  /// not within its own trace function. Nothing, if the ring is full.
  void put_garbage(CpuIndex cpu);

  /// Copies out what has come into `cpu`'s ring since the last call, at most its capacity, and
  /// makes room for more. By the TSC that the CPUs without a skew have. One thread at a time for one CPU.
  [[nodiscard]] RingView take_events(CpuIndex cpu);

private:
  struct Ring {
    abi::Event *events;
    std::uint32_t taken; ///< events, ever; the guest's copy of it is not believed
  };

  explicit ControlArea(Roster roster) : roster_(std::move(roster)) {}
  [[nodiscard]] static Result<ControlArea> find(const GuestMemory &memory, const ControlLayout &layout,
                                                const Scenario &scenario, GuestClocks clocks);
  [[nodiscard]] abi::CpuSlot &slot(CpuIndex cpu) const { return slots_[roster_.number_of(cpu)]; }

  Roster roster_;
  ControlLayout layout_;
  abi::Request request_ = {}; ///< the host's own copy: the guest may write over the page's
  std::uint32_t cpus_ = 0;
  std::uint32_t tsc_khz_ = 0;
  abi::ControlPage *page_ = nullptr;
  abi::CpuSlot *slots_ = nullptr;
  std::vector<Ring> rings_; ///< by the guest's numbers
};

} // namespace reveille::vmm
