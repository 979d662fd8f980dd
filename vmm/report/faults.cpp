#include "vmm/report/faults.hpp"

#include "vmm/report/words.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMaxFirings = 6; ///< with so many of one fault each gets a line

using Firings = std::vector<const Firing *>;

/// What a vCPU made of its release.
std::string_view aftermath_text(Aftermath aftermath) {
  switch (aftermath) {
  case Aftermath::kUnknown:
    return ", not seen to go on";
  case Aftermath::kActive:
    return ", and is up";
  case Aftermath::kParked:
    return ", then parked";
  case Aftermath::kDead:
    return ", then went down";
  case Aftermath::kClaimedAgain:
    return ", and claimed by a later attempt";
  case Aftermath::kTookInit:
    return ", then took the INIT";
  case Aftermath::kAtRest:
    return ", then halted for good";
  case Aftermath::kWentOn:
    return ", then went on";
  case Aftermath::kHeldOn:
    return ", then held by another fault";
  }
  return "";
}

/// How a firing ended; `after`: " after 300 ms", or nothing.
std::string end_text(const Firing &f, const std::string &after) {
  switch (f.end) {
  case HoldEnd::kHolding:
    return f.aftermath == Aftermath::kAtRest ? "found no instruction to crash at" : "still holds";
  case HoldEnd::kReset:
    return "taken out of it by an INIT" + after;
  case HoldEnd::kCrashed:
    return "shut down" + after;
  case HoldEnd::kStepFailed:
    return "the step failed";
  case HoldEnd::kDone:
    return f.wrote ? fmt::format("the word was {}, and became {}", word_text(f.wrote->before),
                                 word_text(f.wrote->after))
                   : "done";
  case HoldEnd::kReleased:
    break;
  }
  return "released" + after + std::string(aftermath_text(f.aftermath));
}

/// Who was held, when it was not the CPU itself.
std::string held_text(const FaultSpec &fault, const Firing &f) {
  if (!is_on_control_cpu(fault.at))
    return {};
  const std::string who =
      f.vcpu == 0 ? std::string("the control CPU") : fmt::format("its control CPU {}", f.vcpu);
  const auto *guest = std::get_if<GuestPlace>(&fault.at.where);
  const bool kicks = guest != nullptr && guest->place == abi::Place::kKick;
  return who + (kicks ? ", about to kick it, " : ", preparing it, ");
}

/// One firing on a line of its own.
std::string firing_text(const Scenario &scenario, const Firing &f) {
  if (std::holds_alternative<FirmwarePlace>(scenario.faults[f.fault].at.where))
    return fmt::format("CPU {}: before the guest started", f.cpu);
  return fmt::format("CPU {}: {}at {}, attempt {}{}; {}", f.cpu, held_text(scenario.faults[f.fault], f),
                     ms_text(f.began_us), f.attempt, in_text(f.where), end_text(f));
}

/// Many firings that ended alike.
std::string together_text(const std::string &end, const Firings &firings, int width) {
  std::set<CpuIndex> cpus;
  double first = firings.front()->began_us;
  double last = first;
  for (const Firing *f : firings) {
    cpus.insert(f->cpu);
    first = std::min(first, f->began_us);
    last = std::max(last, f->began_us);
  }
  return fmt::format("{}, {} from {} to {}: {}",
                     cpus_text({cpus.begin(), cpus.end()}, static_cast<std::size_t>(width / 2)),
                     counted(firings.size(), "time"), ms_text(first), ms_text(last), end);
}

std::string firings_text(const Style &style, const Scenario &scenario, const Firings &firings) {
  std::string text;
  if (firings.size() <= kMaxFirings) {
    for (const Firing *f : firings)
      text += wrap("      ", firing_text(scenario, *f), style.width);
    return text;
  }
  std::map<std::string, Firings> by_end;
  for (const Firing *f : firings)
    by_end[end_text(*f, "")].push_back(f);
  for (const auto &[end, alike] : by_end)
    text += wrap("      ", together_text(end, alike, style.width), style.width);
  return text;
}

} // namespace

std::string end_text(const Firing &f) { return end_text(f, " after " + ms_text(f.ended_us - f.began_us)); }

std::string faults_text(const Style &style, const Scenario &scenario, const Observation &seen) {
  if (scenario.faults.empty())
    return {};
  std::vector<Firings> firings(scenario.faults.size());
  for (const Firing &f : seen.firings)
    if (f.fault < firings.size())
      firings[f.fault].push_back(&f);
  std::vector<std::vector<CpuIndex>> silent(scenario.faults.size());
  for (const FaultAccount &account : seen.faults)
    if (account.fault < silent.size() && account.fired == 0)
      silent[account.fault].push_back(account.cpu);

  std::string text = paint(style, Ink::kBold, "faults") + '\n';
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    text += fmt::format("  {:>2}  {}\n", i, fault_text(scenario.faults[i]));
    text += firings_text(style, scenario, firings[i]);
    if (!silent[i].empty())
      text += paint(style, Ink::kWarn,
                    wrap("      ",
                         cpus_text(silent[i], static_cast<std::size_t>(style.width / 2)) + ": did not fire",
                         style.width));
  }
  return text;
}

} // namespace reveille::vmm
