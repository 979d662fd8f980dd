#include "vmm/machine/control_area.hpp"

#include "core/abi/rings.hpp"
#include "vmm/scenario/reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kPageSize = 4096;
constexpr std::uint64_t kFirstMib = 1u << 20;

constexpr std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + kPageSize - 1) / kPageSize * kPageSize;
}

constexpr std::uint64_t bit(abi::Place place) { return std::uint64_t{1} << static_cast<unsigned>(place); }

abi::Request request_of(const Scenario &scenario, const Roster &roster, const ControlLayout &layout,
                        GuestClocks clocks) {
  abi::Request request = {};
  request.cpus = scenario.machine.vcpus;
  request.max_cpus = roster.requested();
  request.strategy = scenario.bringup.strategy;
  request.wait = scenario.bringup.wait;
  request.stop = scenario.bringup.stop;
  request.window = scenario.bringup.window;
  request.attempts = scenario.bringup.attempts;
  request.cycles = scenario.bringup.cycles;
  request.primary_threads_first = scenario.bringup.primary_threads_first ? 1 : 0;
  request.timeout_us = static_cast<std::uint64_t>(std::llround(scenario.bringup.timeout_ms * 1000));
  request.tsc_khz = clocks.tsc_khz;
  request.lapic_hz = clocks.lapic_hz;
  request.slots = layout.slots;
  request.kicks = kicks_one_by_one(scenario) ? abi::Kicks::kOneByOne : abi::Kicks::kTogether;
  return request;
}

std::string printable(const char *bytes, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < most && bytes[i] != '\0'; ++i)
    text += bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
  return text;
}

} // namespace

std::uint64_t ControlLayout::ring(CpuIndex cpu) const {
  if (cpu == 0)
    return rings;
  const std::uint64_t events = cp_ring_capacity + std::uint64_t{ap_ring_capacity} * (cpu - 1);
  return rings + events * sizeof(abi::Event);
}

std::uint32_t ControlLayout::ring_capacity(CpuIndex cpu) const {
  return cpu == 0 ? cp_ring_capacity : ap_ring_capacity;
}

Result<ControlLayout> lay_out_control_area(const MachineSpec &machine, const BringupSpec &bringup,
                                           std::uint64_t low_end) {
  ControlLayout layout;
  layout.cp_ring_capacity = abi::control_ring_events(machine.vcpus, bringup.attempts);
  layout.ap_ring_capacity = abi::ap_ring_events(bringup.strategy, bringup.attempts);
  const std::uint64_t page_size = round_up(sizeof(abi::ControlPage));
  const std::uint64_t slots_size = round_up(machine.vcpus * sizeof(abi::CpuSlot));
  const std::uint64_t events =
      layout.cp_ring_capacity + std::uint64_t{layout.ap_ring_capacity} * (machine.vcpus - 1);
  const std::uint64_t size = page_size + slots_size + round_up(events * sizeof(abi::Event));
  if (low_end < kFirstMib || size > low_end - kFirstMib)
    return fail(
        ExitStatus::kUsage,
        fmt::format(
            "memory_mib = {} is too little for {} vCPUs: what guest and host share takes {} MiB of it; "
            "set a larger one, or leave it out",
            low_end >> 20, machine.vcpus, (size >> 20) + 1));
  layout.page = (low_end - size) / kPageSize * kPageSize;
  layout.slots = layout.page + page_size;
  layout.rings = layout.slots + slots_size;
  layout.range = {layout.page, low_end};
  return layout;
}

abi::Request ControlArea::request_of(const Scenario &scenario, const ControlLayout &layout,
                                     GuestClocks clocks) {
  return vmm::request_of(scenario, Roster(scenario), layout, clocks);
}

/// Where all of it is, and nothing written to it.
Result<ControlArea> ControlArea::find(const GuestMemory &memory, const ControlLayout &layout,
                                      const Scenario &scenario, GuestClocks clocks) {
  ControlArea area{Roster(scenario)};
  area.layout_ = layout;
  area.tsc_khz_ = static_cast<std::uint32_t>(clocks.tsc_khz);
  area.cpus_ = scenario.machine.vcpus;
  area.page_ = memory.at<abi::ControlPage>(layout.page);
  area.slots_ = memory.at<abi::CpuSlot>(layout.slots, area.cpus_);
  if (area.page_ == nullptr || area.slots_ == nullptr)
    return fail(ExitStatus::kBroken,
                fmt::format("the control area at {:#x} is not in the guest's memory", layout.page));
  for (CpuIndex cpu = 0; cpu < area.cpus_; ++cpu) {
    auto *ring = memory.at<abi::Event>(layout.ring(cpu), layout.ring_capacity(cpu));
    if (ring == nullptr)
      return fail(ExitStatus::kBroken,
                  fmt::format("the event ring of CPU {} is not in the guest's memory", cpu));
    area.rings_.push_back({ring, 0});
  }
  area.request_ = vmm::request_of(scenario, area.roster_, layout, clocks);
  return area;
}

Result<ControlArea> ControlArea::create(const GuestMemory &memory, const ControlLayout &layout,
                                        const Scenario &scenario, GuestClocks clocks) {
  auto area = find(memory, layout, scenario, clocks);
  if (!area)
    return area;
  for (CpuIndex cpu = 0; cpu < area->cpus_; ++cpu) {
    area->slots_[cpu].host.ring = layout.ring(cpu);
    area->slots_[cpu].host.ring_capacity = layout.ring_capacity(cpu);
  }
  area->page_->request = area->request_;
  area->page_->version = abi::kAbiVersion;
  area->page_->size = sizeof(abi::ControlPage);
  area->page_->magic = abi::kControlMagic;
  return area;
}

Result<ControlArea> ControlArea::resume(const GuestMemory &memory, const ControlLayout &layout,
                                        const Scenario &scenario, GuestClocks clocks) {
  auto area = find(memory, layout, scenario, clocks);
  if (!area)
    return area;
  for (CpuIndex cpu = 0; cpu < area->cpus_; ++cpu) {
    abi::HostLine &host = area->slots_[cpu].host;
    host.armed.store(0, std::memory_order_relaxed);
    host.read.store(0, std::memory_order_relaxed);
    host.step_error.store(0, std::memory_order_relaxed);
  }
  return area;
}

std::uint32_t ControlArea::recorded(CpuIndex cpu) const {
  const abi::RingLine &line = slot(cpu).ring;
  return line.count.load(std::memory_order_relaxed) + line.lost.load(std::memory_order_relaxed);
}

std::uint64_t ControlArea::word_bits(CpuIndex cpu) const {
  return slot(cpu).sync.word.load(std::memory_order_acquire); // pairs with the guest's swaps
}

SyncView ControlArea::sync(CpuIndex cpu) const {
  const abi::SyncLine &line = slot(cpu).sync;
  SyncView view;
  view.word = word_bits(cpu);
  view.ordinal = line.ordinal.load(std::memory_order_relaxed);
  view.cycle = line.cycle.load(std::memory_order_relaxed);
  view.apic_id = std::atomic_ref(const_cast<std::uint32_t &>(line.apic_id)).load(std::memory_order_relaxed);
  view.control = roster_.cpu_of(line.control.load(std::memory_order_relaxed));
  return view;
}

ReportView ControlArea::report() const {
  const abi::GuestReport &report = page_->report;
  return {report.zero_tsc.load(std::memory_order_acquire), report.decided_tsc.load(std::memory_order_acquire),
          report.kicks.load(std::memory_order_relaxed), report.found_cpus.load(std::memory_order_relaxed),
          report.refusal.load(std::memory_order_acquire)};
}

std::vector<StepView> ControlArea::steps() const {
  std::vector<StepView> steps;
  for (const abi::StepName &step : page_->steps) {
    const abi::StepName copy = step; // the guest may change it between two looks
    if (copy.section != 0)
      steps.push_back({copy.section, printable(copy.name, sizeof copy.name)});
  }
  return steps;
}

KeptRanges ControlArea::kept() const {
  KeptRanges ranges;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const abi::KeptRange copy = page_->kept[i]; // the guest may change it between two looks
    if (copy.size != 0)
      ranges[i] = GuestRange::sized(copy.begin, copy.size);
  }
  return ranges;
}

void ControlArea::arm(CpuIndex cpu, abi::Place place) {
  slot(cpu).host.armed.fetch_or(bit(place), std::memory_order_seq_cst);
}

void ControlArea::disarm(CpuIndex cpu, abi::Place place) {
  slot(cpu).host.armed.fetch_and(~bit(place), std::memory_order_seq_cst);
}

std::uint64_t ControlArea::armed(CpuIndex cpu) const {
  return slot(cpu).host.armed.load(std::memory_order_relaxed);
}

void ControlArea::answer_step(CpuIndex cpu, int error) {
  // Release: the guest reads it behind its write to the doorbell.
  slot(cpu).host.step_error.store(error, std::memory_order_release);
}

std::uint64_t ControlArea::flip_word(CpuIndex cpu, std::uint64_t bits) {
  return slot(cpu).sync.word.fetch_xor(bits, std::memory_order_acq_rel);
}

std::uint64_t ControlArea::put_word(CpuIndex cpu, std::uint64_t bits) {
  return slot(cpu).sync.word.exchange(bits, std::memory_order_acq_rel);
}

void ControlArea::put_garbage(CpuIndex cpu) {
  abi::RingLine &line = slot(cpu).ring;
  const Ring &ring = rings_[roster_.number_of(cpu)];
  const std::uint32_t count = line.count.load(std::memory_order_acquire);
  const std::uint32_t capacity = layout_.ring_capacity(cpu);
  if (count - slot(cpu).host.read.load(std::memory_order_relaxed) >= capacity)
    return;
  ring.events[count % capacity] = abi::kGarbageEvent;
  line.count.store(count + 1, std::memory_order_release); // pairs with the acquire of take_events()
}

RingView ControlArea::take_events(CpuIndex cpu) {
  const std::uint32_t capacity = layout_.ring_capacity(cpu);
  const abi::RingLine &line = slot(cpu).ring;
  Ring &ring = rings_[roster_.number_of(cpu)];
  // Acquire: pairs with the guest's publishing store.
  const std::uint32_t count = line.count.load(std::memory_order_acquire);
  const std::uint32_t fresh = count - ring.taken;
  RingView view;
  view.lost = line.lost.load(std::memory_order_relaxed);
  view.overrun = fresh > capacity; // a guest of ours writes nothing that has no room
  if (fresh == 0)
    return view;
  if (!view.overrun) {
    const std::uint32_t first = ring.taken % capacity;
    const std::uint32_t to_end = std::min(fresh, capacity - first);
    view.events.reserve(fresh);
    view.events.assign(ring.events + first, ring.events + first + to_end);
    view.events.insert(view.events.end(), ring.events, ring.events + (fresh - to_end));
    const auto ahead = static_cast<std::uint64_t>(skew_ticks(roster_.skew_us(cpu), tsc_khz_));
    for (abi::Event &event : view.events) {
      roster_.rename(event);
      event.tsc -= ahead;
    }
  }
  ring.taken = count;
  // Release: pairs with the guest's acquire before it writes over what was copied out.
  slot(cpu).host.read.store(count, std::memory_order_release);
  return view;
}

} // namespace reveille::vmm
