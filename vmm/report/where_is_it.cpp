#include "vmm/report/where_is_it.hpp"

#include "core/protocol/states.hpp"
#include "vmm/analysis/trail.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/describe.hpp"
#include "vmm/report/disassembly.hpp"
#include "vmm/report/faults.hpp"
#include "vmm/report/what_happened.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMaxAlike = 2; ///< paragraphs for CPUs that failed with one reason
constexpr std::size_t kMaxFull = 12; ///< paragraphs in all
constexpr std::size_t kMaxWhole = 3; ///< of these with registers, code and all of their last events
constexpr std::size_t kLastEvents = 16;
constexpr std::size_t kFewEvents = 5;
constexpr std::size_t kLinesBefore = 3; ///< of code, in front of the instruction
constexpr std::size_t kLinesBehind = 3;

using Trail = std::vector<const abi::Event *>;

std::string time_of(const Observation &seen, const abi::Event &event) {
  const double us = seen.us(event.tsc);
  return is_credible(us) ? ms_text(us) : "at no credible time";
}

std::string last_point(const CpuVerdict &cpu) {
  for (std::size_t i = protocol::kPointCount; i-- > 0;)
    if (cpu.points.arrived[i])
      return fmt::format("{} at {}", protocol::kPoints[i].name, ms_text(*cpu.points.arrived[i]));
  if (cpu.points.kick)
    return fmt::format("none; kicked at {}", ms_text(*cpu.points.kick));
  return "none; it was never kicked";
}

bool is_step_event(abi::EventKind kind) {
  return kind >= abi::EventKind::kStepEnter && kind <= abi::EventKind::kUndoDone;
}

/// The last step event of the last attempt, if there is one.
std::string last_step(const Observation &seen, const Trail &trail, std::uint64_t word) {
  if (trail.empty())
    return {};
  const std::uint32_t attempt =
      abi::Word::is_valid(word) ? abi::Word::from(word).attempt : trail.back()->attempt;
  const auto last = std::find_if(trail.rbegin(), trail.rend(), [&](const abi::Event *e) {
    return is_step_event(e->kind) && e->attempt == attempt;
  });
  if (last == trail.rend())
    return {};
  return fmt::format("{} at {}", describe(**last, seen.steps), time_of(seen, **last));
}

/// The word, and who may move it.
std::string word_line(std::uint64_t bits) {
  if (!abi::Word::is_valid(bits))
    return word_text(bits) + ": nobody may move it";
  std::string_view owner;
  switch (protocol::row(abi::Word::from(bits).state).owner) {
  case protocol::Owner::kCp:
    owner = "the control CPU's to move";
    break;
  case protocol::Owner::kAp:
    owner = "the AP's to move";
    break;
  case protocol::Owner::kBoth:
    owner = "the AP's to park, or the control CPU's to kick again";
    break;
  }
  return fmt::format("{}: {}", word_text(bits), owner);
}

std::string place_text(std::uint64_t rip, const std::string &where) {
  std::string text = fmt::format("{:#x}", rip);
  if (!where.empty() && where != text) // no symbol is near
    text += " " + printable(where);
  return text;
}

std::string vcpu_line(const VcpuSnapshot &vcpu) {
  std::string text = printable(vcpu.mp_state);
  if (vcpu.rip != 0) // a simulated CPU has none
    text += ", rip " + place_text(vcpu.rip, vcpu.where);
  return text;
}

/// Where it was before; nothing when it still is.
std::string was_line(const VcpuSnapshot &vcpu) {
  switch (vcpu.moment) {
  case Moment::kEnd:
    break;
  case Moment::kBeforeInit:
    return place_text(vcpu.was_at, vcpu.was_in) + ", before the INIT";
  case Moment::kPanic:
    return place_text(vcpu.was_at, vcpu.was_in) + ", when it panicked";
  }
  return {};
}

/// Its registers then tell nothing of what it did.
bool is_as_after_init(const VcpuSnapshot &vcpu) { return vcpu.at_reset && vcpu.moment == Moment::kEnd; }

std::string registers_text(const VcpuSnapshot &vcpu) {
  if (!vcpu.registers)
    return {};
  if (is_as_after_init(vcpu))
    return "as an INIT leaves them";
  const Registers &r = *vcpu.registers;
  // clang-format off
  const std::pair<const char *, std::uint64_t> all[] = {
      {"rax", r.rax}, {"rbx", r.rbx}, {"rcx", r.rcx}, {"rdx", r.rdx}, {"rsi", r.rsi}, {"rdi", r.rdi},
      {"rbp", r.rbp}, {"rsp", r.rsp}, {"r8", r.r8}, {"r9", r.r9}, {"r10", r.r10}, {"r11", r.r11},
      {"r12", r.r12}, {"r13", r.r13}, {"r14", r.r14}, {"r15", r.r15}, {"rip", r.rip}, {"rflags", r.rflags},
      {"cs", r.cs}, {"cr0", r.cr0}, {"cr3", r.cr3}, {"cr4", r.cr4}};
  // clang-format on
  std::string text;
  if (vcpu.moment != Moment::kEnd)
    text = vcpu.moment == Moment::kPanic ? "in its panic:" : "before the INIT:";
  for (const auto &[name, value] : all)
    text += fmt::format("{}{}={:#x}", text.empty() ? "" : " ", name, value);
  return text;
}

/// The instructions around the one that it is at, which has an arrow.
std::string code_text(const VcpuSnapshot &vcpu, int width) {
  if (!vcpu.code || is_as_after_init(vcpu))
    return {};
  std::string text;
  for (const CodeLine &line : disassemble(*vcpu.code, kLinesBefore, kLinesBehind))
    text += wrap(fmt::format("    {} {:#x}  ", line.here ? "->" : "  ", line.address),
                 fmt::format("{:<24} {}", line.bytes, line.text), width);
  if (text.empty())
    return text;
  std::string_view when;
  if (vcpu.moment != Moment::kEnd)
    when = vcpu.moment == Moment::kPanic ? ", where it panicked" : ", before the INIT";
  return fmt::format("  code, {} bits{}\n", static_cast<int>(vcpu.code->width), when) + text;
}

/// What the host did to it, as far as it explains the failure: the fault that holds it, or
/// the last that it was in.
std::string fault_line(const Scenario &scenario, const Observation &seen, const CpuVerdict &cpu) {
  const std::optional<VcpuSnapshot> none;
  const auto &vcpu = cpu.cpu < seen.cpus.size() ? seen.cpus[cpu.cpu].vcpu : none;
  const auto of_cpu = [&](const Firing &f) { return f.cpu == cpu.cpu && f.fault < scenario.faults.size(); };
  const auto last = std::find_if(seen.firings.rbegin(), seen.firings.rend(), of_cpu);
  if (last != seen.firings.rend()) {
    std::string which = fmt::format("fault {}, {}", last->fault, fault_text(scenario.faults[last->fault]));
    if (std::holds_alternative<FirmwarePlace>(scenario.faults[last->fault].at.where))
      return which;
    const std::string began = fmt::format("{} in attempt {}", ms_text(last->began_us), last->attempt);
    if (last->end == HoldEnd::kHolding)
      return fmt::format("held by {}, since {}{}", which, began, in_text(last->where));
    return fmt::format("was in {}, at {}{}: {}", which, began, in_text(last->where), end_text(*last));
  }
  if (!vcpu || !vcpu->held)
    return {};
  if (vcpu->by && *vcpu->by < scenario.faults.size())
    return fmt::format("held by fault {}, {}", *vcpu->by, fault_text(scenario.faults[*vcpu->by]));
  return "held by a fault";
}

/// In which of several cycles a CPU was decided.
std::string cycle_text(const Scenario &scenario, const Observation &seen, CpuIndex cpu) {
  const auto cycle = scenario.bringup.cycles == 1 ? std::nullopt : cycle_of_decision(seen, cpu);
  return cycle ? fmt::format(" in cycle {} of {}", *cycle, scenario.bringup.cycles) : std::string();
}

std::string crash_text(const CrashEvidence &crash) {
  return fmt::format("{}{}, attempt {}{}", printable(crash.what), at_rip_text(crash.rip), crash.attempt,
                     in_text(crash.where));
}

std::string last_events(const Observation &seen, const Trail &trail, std::size_t most, int width) {
  std::string text;
  for (std::size_t i = trail.size() - std::min(trail.size(), most); i < trail.size(); ++i) {
    const double us = seen.us(trail[i]->tsc);
    text += wrap(fmt::format("    {:>10}  ", is_credible(us) ? ms_figure(us) : "?"),
                 describe(*trail[i], seen.steps), width);
  }
  return text;
}

} // namespace

std::string where_is_it(const Style &style, const Scenario &scenario, const Observation &seen,
                        const CpuVerdict &cpu, Detail detail) {
  const auto line = [&](std::string_view label, const std::string &what) {
    return what.empty() ? std::string{} : wrap(fmt::format("  {:<12}", label), what, style.width);
  };
  std::string text = paint(style, Ink::kBold, fmt::format("CPU {}", cpu.cpu)) + "  " +
                     paint(style, Ink::kBad, printable(cpu.reason)) +
                     fmt::format(" after {}", counted(cpu.attempts, "attempt")) +
                     cycle_text(scenario, seen, cpu.cpu) + '\n';
  text += line("in short", what_happened(scenario, seen, cpu));
  text += line("last point", last_point(cpu));
  const Trail trail = trail_of(seen, cpu.cpu);
  if (cpu.cpu < seen.cpus.size()) {
    const CpuObservation &own = seen.cpus[cpu.cpu];
    text += line("last step", last_step(seen, trail, own.word));
    text += line("word", word_line(own.word));
    text += line("vCPU", own.vcpu                           ? vcpu_line(*own.vcpu)
                         : own.presence == Presence::kGhost ? "there is none"
                                                            : "not looked at");
    if (own.vcpu)
      text += line("was at", was_line(*own.vcpu));
  }
  text += line("fault", fault_line(scenario, seen, cpu));
  for (const CrashEvidence &crash : seen.crashes)
    if (crash.cpu == cpu.cpu)
      text += line("crash", crash_text(crash));
  if (cpu.quarantined != 0)
    text +=
        line("kept", fmt::format("the resources of {}: nothing proves {} over",
                                 counted(cpu.quarantined, "attempt"), cpu.quarantined == 1 ? "it" : "them"));
  const bool is_whole = detail == Detail::kWhole;
  if (is_whole && cpu.cpu < seen.cpus.size() && seen.cpus[cpu.cpu].vcpu) {
    text += line("registers", registers_text(*seen.cpus[cpu.cpu].vcpu));
    text += code_text(*seen.cpus[cpu.cpu].vcpu, style.width);
  }
  if (!trail.empty())
    text +=
        "  last events (ms)\n" + last_events(seen, trail, is_whole ? kLastEvents : kFewEvents, style.width);
  return text;
}

std::string where_are_they(const Style &style, const Scenario &scenario, const Observation &seen,
                           const Verdict &verdict) {
  const std::size_t most_alike = verdict.cpus.size() <= 16 ? verdict.cpus.size() : kMaxAlike;
  std::map<std::string, std::size_t> alike;
  std::map<std::string, std::vector<CpuIndex>> others;
  std::string text;
  std::size_t full = 0;
  std::size_t whole = 0;
  for (const CpuVerdict &cpu : verdict.cpus) {
    if (cpu.outcome != CpuOutcome::kFailed)
      continue;
    if (full < std::max(kMaxFull, most_alike) && alike[cpu.reason]++ < most_alike) {
      const bool is_whole = alike[cpu.reason] == 1 && whole < kMaxWhole;
      whole += is_whole ? 1 : 0;
      text += (full++ == 0 ? "" : "\n") +
              where_is_it(style, scenario, seen, cpu, is_whole ? Detail::kWhole : Detail::kShort);
    } else {
      others[cpu.reason].push_back(cpu.cpu);
    }
  }
  for (const auto &[reason, cpus] : others)
    text += wrap("  and ", fmt::format("{}: {}", cpus_text(cpus, 400), printable(reason)), style.width);
  return text;
}

} // namespace reveille::vmm
