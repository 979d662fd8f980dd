#include "guest/run/summary.hpp"

#include "core/protocol/states.hpp"
#include "guest/clock/tsc.hpp"
#include "guest/lapic/lapic.hpp"
#include "guest/run/output.hpp"
#include "guest/smp/cpus.hpp"

#include <array>

namespace reveille::guest::run {

namespace {

using abi::EventKind;
using abi::Word;

struct Times {
  std::uint64_t kicked = 0; ///< the last attempt's kick
  std::uint64_t active = 0; ///< 0: it never was
};

/// Those of the last cycle.
template <class Visit> void for_each_event(const abi::CpuSlot &slot, Visit &&visit) {
  const auto *ring = reinterpret_cast<const abi::Event *>(slot.host.ring);
  const std::uint32_t end = slot.ring.count.load(std::memory_order_acquire);
  for (std::uint32_t i = slot.host.read.load(std::memory_order_relaxed); i != end; ++i)
    visit(ring[i % slot.host.ring_capacity]);
}

/// CPU 0 alone uses it, once.
constinit std::array<Times, abi::kMaxCpus> times{};

void read_times(unsigned cpus) {
  for (unsigned writer = 0; writer < cpus; ++writer)
    for_each_event(smp::slots[writer], [&](const abi::Event &e) {
      if (e.cpu >= cpus)
        return;
      if (e.kind == EventKind::kKick) // in tree by any CPU
        times[e.cpu].kicked = e.tsc;
      if (e.kind == EventKind::kMoved && e.cpu == writer && Word::from(e.b).state == abi::State::kActive)
        times[e.cpu].active = e.tsc;
    });
}

std::uint64_t microseconds(std::uint64_t from, std::uint64_t to) {
  return to > from ? (to - from) * 1000 / clock::tsc_khz : 0;
}

bool is_active(unsigned cpu) {
  const std::uint64_t bits = smp::slots[cpu].sync.word.load(std::memory_order_acquire);
  return cpu == 0 || Word::from(bits).state == abi::State::kActive;
}

void say_cpu(unsigned cpu, std::uint64_t zero) {
  const smp::Identity &identity = smp::identities[cpu];
  Line line;
  line.field("cpu", cpu).field("apic_id", identity.apic_id).field("primary", smp::primary_of(cpu));
  line.field("outcome", is_active(cpu) ? "online" : "failed");
  if (cpu != 0) {
    line.field("attempts", smp::slots[cpu].sync.ordinal.load(std::memory_order_relaxed));
    line.field("kick_us", microseconds(zero, times[cpu].kicked));
    if (times[cpu].active != 0)
      line.field("active_us", microseconds(zero, times[cpu].active));
  }
  if (!is_active(cpu)) {
    const Word word = Word::from(smp::slots[cpu].sync.word.load(std::memory_order_acquire));
    line.field("state", protocol::name(word.state));
  }
  if (!identity.is_reachable)
    line.word("unreachable");
  say(line);
}

constexpr std::array<std::string_view, 4> kStrategies = {"serial", "split", "parallel", "tree"};

} // namespace

void announce(unsigned cpus, abi::Strategy strategy) {
  Line line;
  say(line.field("cpus", cpus)
          .field("apic", lapic::x2apic ? "x2apic" : "xapic")
          .field("strategy", kStrategies[static_cast<std::size_t>(strategy)])
          .field("wait", smp::waiting == abi::Wait::kSpin ? "spin" : "halt")
          .field("tsc_khz", clock::tsc_khz));
}

bool summarise(unsigned cpus, const abi::GuestReport &report) {
  const std::uint64_t zero = report.zero_tsc.load(std::memory_order_relaxed);
  Line at_once;
  say(at_once.word("decided"));
  read_times(cpus);
  unsigned online = 0;
  std::uint32_t lost = 0; // events that found no room, and with them the times that they would have told
  std::uint64_t last = zero;
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    say_cpu(cpu, zero);
    online += is_active(cpu) ? 1u : 0u;
    lost += smp::slots[cpu].ring.lost.load(std::memory_order_relaxed);
    last = times[cpu].active > last ? times[cpu].active : last;
  }
  Line line;
  line.field("online", online).field("failed", cpus - online);
  line.field("bringup_us", microseconds(zero, last));
  if (lost != 0)
    line.field("lost_events", lost);
  say(line);
  return online == cpus;
}

} // namespace reveille::guest::run
