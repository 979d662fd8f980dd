#include "tests/explore/limits.hpp"

#include "core/abi/word.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

namespace reveille::explore {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Strategy;
using vmm::CpuIndex;
using vmm::Observation;
using vmm::Scenario;

namespace {

/// How many there are of something, over time. What ends at a moment has ended before what
/// begins then: so it never says too many.
class Crowd {
public:
  void begin(CpuIndex cpu, std::uint64_t at) {
    if (inside_.insert(cpu).second)
      changes_.emplace_back(at, 1);
  }
  void end(CpuIndex cpu, std::uint64_t at) {
    if (inside_.erase(cpu) != 0)
      changes_.emplace_back(at, -1);
  }
  [[nodiscard]] long most() {
    std::ranges::sort(changes_);
    long now = 0;
    long most = 0;
    for (const auto &[at, change] : changes_) {
      now += change;
      most = std::max(most, now);
    }
    return most;
  }

private:
  std::set<CpuIndex> inside_;
  std::vector<std::pair<std::uint64_t, int>> changes_;
};

struct Crowds {
  Crowd coming;    ///< from its kick to its decision
  Crowd finishing; ///< from its release from alive to that, or to its next attempt
  Crowd going;     ///< from the order to go down to that
};

bool releases_from_alive(const Event &event) {
  return event.kind == EventKind::kMoved && abi::Word::from(event.a).state == State::kAlive &&
         abi::Word::from(event.b).state == State::kStarting;
}

void take(const Event &event, Crowds &crowds) {
  const CpuIndex cpu = event.cpu;
  switch (event.kind) {
  case EventKind::kKick:
    crowds.coming.begin(cpu, event.tsc);
    crowds.finishing.end(cpu, event.tsc);
    return;
  case EventKind::kTimeout:
    crowds.finishing.end(cpu, event.tsc);
    return;
  case EventKind::kTakeDown:
    crowds.going.begin(cpu, event.tsc);
    return;
  case EventKind::kOnline:
  case EventKind::kFailed:
  case EventKind::kOffline:
    crowds.coming.end(cpu, event.tsc);
    crowds.finishing.end(cpu, event.tsc);
    crowds.going.end(cpu, event.tsc);
    return;
  default:
    if (releases_from_alive(event))
      crowds.finishing.begin(cpu, event.tsc);
  }
}

/// What control CPUs have written, in its order. What one of them does for an AP that is lost
/// already is not the strategy's.
Crowds crowds_of(const Observation &seen) {
  std::vector<std::tuple<std::uint64_t, CpuIndex, std::size_t>> order;
  for (CpuIndex writer = 0; writer < seen.cpus.size(); ++writer)
    for (std::size_t i = 0; i < seen.cpus[writer].events.size(); ++i)
      if (const Event &event = seen.cpus[writer].events[i]; event.cpu != writer)
        order.emplace_back(event.tsc, writer, i);
  std::ranges::sort(order);
  Crowds crowds;
  std::set<CpuIndex> out;
  for (const auto &[tsc, writer, i] : order) {
    const Event &event = seen.cpus[writer].events[i];
    if (!out.contains(event.cpu))
      take(event, crowds);
    if (event.kind == EventKind::kFailed)
      out.insert(event.cpu);
  }
  return crowds;
}

void check(std::string_view what, long most, long allowed, std::vector<std::string> &out) {
  if (most > allowed)
    out.push_back(fmt::format("{} APs were {} at once, and the strategy allows {}", most, what, allowed));
}

/// Whether a CPU was said to be up after that moment: the INIT of a later attempt has taken it out.
bool came_up_after(const Observation &seen, CpuIndex cpu, double us) {
  return std::ranges::any_of(seen.cpus, [&](const vmm::CpuObservation &writer) {
    return std::ranges::any_of(writer.events, [&](const Event &event) {
      return event.kind == EventKind::kOnline && event.cpu == cpu && seen.us(event.tsc) > us;
    });
  });
}

/// Who is held for ever, or has crashed, cannot have let go of an AP after that.
void check_adoption(const Observation &seen, std::vector<std::string> &out) {
  for (const Event &event : seen.cpus[0].events) {
    if (event.kind != EventKind::kAdopted)
      continue;
    for (const vmm::Firing &firing : seen.firings)
      if (firing.vcpu == event.a && firing.began_us < seen.us(event.tsc) &&
          (firing.end == vmm::HoldEnd::kHolding || firing.end == vmm::HoldEnd::kCrashed) &&
          !came_up_after(seen, firing.vcpu, firing.began_us))
        out.push_back(
            fmt::format("CPU {} was taken back from CPU {}, which had stopped", event.cpu, event.a));
  }
}

} // namespace

std::vector<std::string> broken_limits(const Scenario &scenario, const Observation &seen) {
  constexpr long kAll = std::numeric_limits<long>::max();
  const vmm::BringupSpec &bringup = scenario.bringup;
  const bool one_by_one = bringup.strategy == Strategy::kSerial || bringup.strategy == Strategy::kSplit;
  const long window = bringup.window == 0 ? kAll : bringup.window;
  std::vector<std::string> out;
  Crowds crowds = crowds_of(seen);
  check("coming up", crowds.coming.most(), bringup.strategy == Strategy::kSerial ? 1 : window, out);
  check("being finished", crowds.finishing.most(), one_by_one ? 1 : window, out);
  check("going down", crowds.going.most(), one_by_one ? 1 : window, out);
  check_adoption(seen, out);
  return out;
}

} // namespace reveille::explore
