// What the host and the guest share in guest memory: the control page, a slot per CPU,
// and the event rings. The host lays it out and fills in its half before the guest
// starts; what the guest writes is untrusted input to the host.
//
// The command line announces it: "reveille.control=0xADDR" (guest-physical, page-aligned).
#pragma once

#include "core/abi/event.hpp"
#include "core/abi/place.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace reveille::abi {

inline constexpr std::uint64_t kControlMagic = 0x656c6c6965766572; // "reveille"
inline constexpr std::uint32_t kAbiVersion = 5;
inline constexpr unsigned kMaxCpus = 1024;

enum class Strategy : std::uint32_t { kSerial, kSplit, kParallel, kTree };
enum class Wait : std::uint32_t { kSpin, kHalt };
enum class Stop : std::uint32_t { kInit, kNone };
/// Whether each AP is sent its own INIT and SIPIs. Together: where the guest sees that it can.
enum class Kicks : std::uint32_t { kOneByOne, kTogether };

/// What the host asks for. Written by the host before the guest starts, then read-only.
struct Request {
  std::uint32_t cpus;     ///< CPUs that have a slot, CPU 0 included
  std::uint32_t max_cpus; ///< CPUs to bring up, CPU 0 included; 1..cpus
  Strategy strategy;
  Wait wait;
  Stop stop;
  std::uint32_t window;                ///< APs in flight at once, 0: all
  std::uint32_t attempts;              ///< at most, per AP
  std::uint32_t cycles;                ///< up, then cycles - 1 times down and up again
  std::uint64_t timeout_us;            ///< of each AP turn
  std::uint64_t tsc_khz;               ///< 0: unknown, the guest finds out
  std::uint64_t lapic_hz;              ///< LAPIC timer input clock; 0: unknown
  std::uint64_t slots;                 ///< guest-physical address of CpuSlot[cpus]
  std::uint32_t primary_threads_first; ///< 1: a sibling is kicked after its primary
  Kicks kicks;
};

/// What the guest says of the run as a whole. Written by CPU 0.
struct GuestReport {
  std::atomic<std::uint64_t> zero_tsc;    ///< time zero; 0: not yet
  std::atomic<std::uint64_t> decided_tsc; ///< every requested CPU decided; 0: not yet
  std::atomic<std::uint32_t> kicks;       ///< INIT/SIPI sequences sent so far
  std::atomic<std::uint32_t> found_cpus;  ///< CPUs found in the MADT
  std::atomic<std::uint32_t> refusal;     ///< abi::Refusal
  std::uint32_t reserved;
};

/// Why the guest rang Ring::kRefused.
enum class Refusal : std::uint32_t {
  kNone = 0,
  kVersion,   ///< control page of another version or size
  kNoAcpi,    ///< no RSDP, or no MADT behind it
  kTooMany,   ///< more CPUs in the MADT than slots
  kNoMemory,  ///< too little usable memory for stacks and areas
  kNoClock,   ///< no clock source could be found
  kNoLowPage, ///< no room below 640 KiB for the trampoline
};

/// A step that the guest has registered, in the order of its section. Written before the
/// first kick; the name is UTF-8, padded with zeros, not necessarily terminated.
struct StepName {
  std::uint8_t section; ///< protocol::Section; 0: the entry is empty
  char name[23];
};
inline constexpr unsigned kMaxSteps = 16;

/// What has to outlive every AP that was kicked.
enum class Keep : std::uint8_t {
  kTrampolines, ///< where APs start; constant from time zero on
  kIdMap,       ///< likewise
  kCode,        ///< what runs, parking included; likewise
  kParkStacks,  ///< what APs come to rest on; written to
  kCount,
};

/// Where it is, guest-physical. Written before time zero; size 0: not said.
struct KeptRange {
  std::uint64_t begin;
  std::uint64_t size; ///< bytes
};

struct ControlPage {
  std::uint64_t magic;   ///< kControlMagic
  std::uint32_t version; ///< kAbiVersion
  std::uint32_t size;    ///< sizeof(ControlPage)
  Request request;
  alignas(64) GuestReport report;
  StepName steps[kMaxSteps];
  KeptRange kept[static_cast<std::size_t>(Keep::kCount)]; ///< by Keep
};

/// The sync word and what its owner may write, on a line of its own.
struct alignas(64) SyncLine {
  std::atomic<std::uint64_t> word;    ///< abi::Word bits; moved by swaps alone
  std::atomic<std::uint32_t> ordinal; ///< attempt within this cycle, from 1; CP, before the kick
  std::atomic<std::uint32_t> cycle;   ///< from 1; CP, before the kick
  std::uint32_t apic_id;              ///< the guest, before the first kick
  std::atomic<std::uint32_t> control; ///< the CPU that brings this one up, for it to tell; a hint
  std::atomic<std::uint64_t> lease;   ///< of this CPU as a control CPU (core/lease.hpp)
};

/// How many trampoline pages there are: attempt n starts on page n mod kPages.
inline constexpr unsigned kPages = 16;

/// Which per-CPU area each attempt has, by the page that it starts on. An entry is written
/// by the CP before the kick and not again while an attempt that can read it is unproven.
struct alignas(64) AreaLine {
  std::uint32_t area[kPages];
};

/// The host's half of a slot. The guest reads it and never writes it.
struct alignas(64) HostLine {
  std::atomic<std::uint64_t> armed; ///< bit n: ring the doorbell at Place n
  std::uint64_t ring;               ///< guest-physical address of Event[ring_capacity]
  std::uint32_t ring_capacity;      ///< events
  std::atomic<std::uint32_t> read;  ///< events that the host has taken out
  /// At the doorbell of a step: what the step is to return instead of being done; 0: do it.
  std::atomic<std::int32_t> step_error;
};

/// The event ring's account; written by the CPU whose slot it is. Event n is at n mod
/// ring_capacity. What finds no room, because the host has not read, is counted in `lost`.
struct alignas(64) RingLine {
  std::atomic<std::uint32_t> count; ///< events written, ever; wraps at 2^32
  std::atomic<std::uint32_t> lost;  ///< events that found no room
};

/// One side's line of the TSC rendezvous. Bits of `mark`: 63:32 attempt, 31:16 what, 15:0 round.
struct alignas(64) TscLine {
  std::atomic<std::uint64_t> mark;
  std::atomic<std::uint64_t> tsc;
};

struct CpuSlot {
  SyncLine sync;
  AreaLine areas;
  HostLine host;
  RingLine ring;
  TscLine tsc_ap; ///< written by the AP alone
  TscLine tsc_cp; ///< written by the CP alone
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::is_standard_layout_v<ControlPage> && std::is_standard_layout_v<CpuSlot>);
static_assert(sizeof(Request) == 72);
static_assert(offsetof(Request, timeout_us) == 32 && offsetof(Request, tsc_khz) == 40);
static_assert(offsetof(Request, lapic_hz) == 48 && offsetof(Request, slots) == 56);
static_assert(offsetof(ControlPage, version) == 8 && offsetof(ControlPage, size) == 12);
static_assert(offsetof(ControlPage, request) == 16 && offsetof(ControlPage, report) == 128);
static_assert(offsetof(GuestReport, decided_tsc) == 8 && offsetof(GuestReport, kicks) == 16);
static_assert(offsetof(GuestReport, found_cpus) == 20 && offsetof(GuestReport, refusal) == 24);
static_assert(offsetof(ControlPage, steps) == 160 && sizeof(StepName) == 24);
static_assert(offsetof(ControlPage, kept) == 544 && sizeof(KeptRange) == 16);
static_assert(sizeof(ControlPage) == 640);
static_assert(offsetof(SyncLine, ordinal) == 8 && offsetof(SyncLine, cycle) == 12);
static_assert(offsetof(SyncLine, apic_id) == 16 && offsetof(SyncLine, control) == 20);
static_assert(offsetof(SyncLine, lease) == 24);
static_assert(offsetof(HostLine, ring) == 8 && offsetof(HostLine, ring_capacity) == 16);
static_assert(offsetof(HostLine, read) == 20 && offsetof(HostLine, step_error) == 24);
static_assert(offsetof(RingLine, lost) == 4 && offsetof(TscLine, tsc) == 8);
static_assert(sizeof(CpuSlot) == 384);
static_assert(offsetof(CpuSlot, sync) == 0 && offsetof(CpuSlot, areas) == 64);
static_assert(offsetof(CpuSlot, host) == 128 && offsetof(CpuSlot, ring) == 192);
static_assert(offsetof(CpuSlot, tsc_ap) == 256 && offsetof(CpuSlot, tsc_cp) == 320);

} // namespace reveille::abi
