#include "vmm/scenario/print.hpp"

#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/bound.hpp"
#include "vmm/scenario/cpulist.hpp"
#include "vmm/scenario/keys.hpp"

#include <fmt/format.h>

#include <iterator>

namespace reveille::vmm {
namespace {

/// As a string of TOML, without anything that a terminal might obey. Source: TOML 1.0, "String".
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte == '"' || byte == '\\')
      out += '\\';
    if (c1)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += static_cast<char>(byte);
  }
  return out + '"';
}

std::string choice(KeySection section, std::string_view key, std::size_t index) {
  return quoted(find_key(section, key)->choices[index]);
}

std::string cpus(const std::vector<CpuIndex> &list) {
  return list.size() == 1 ? fmt::format("{}", list.front()) : quoted(format_cpulist(list));
}

void print_machine(const MachineSpec &m, std::string &out) {
  fmt::format_to(
      std::back_inserter(out),
      "[machine]\nvcpus = {}\nmemory_mib = {}\napic = {}\nx2apic = {}\nthreads_per_core = {}\n", m.vcpus,
      m.memory_mib, choice(KeySection::kMachine, "apic", static_cast<std::size_t>(m.apic)),
      choice(KeySection::kMachine, "x2apic", static_cast<std::size_t>(m.x2apic)), m.threads_per_core);
}

void print_bringup(const BringupSpec &b, std::string &out) {
  fmt::format_to(
      std::back_inserter(out),
      "\n[bringup]\nstrategy = {}\nwait = {}\nwindow = {}\ntimeout_ms = {}\nattempts = {}\nstop = {}\n"
      "primary_threads_first = {}\ncycles = {}\nmax_cpus = {}\n",
      choice(KeySection::kBringup, "strategy", static_cast<std::size_t>(b.strategy)),
      choice(KeySection::kBringup, "wait", static_cast<std::size_t>(b.wait)), b.window, b.timeout_ms,
      b.attempts, choice(KeySection::kBringup, "stop", static_cast<std::size_t>(b.stop)),
      b.primary_threads_first, b.cycles, b.max_cpus);
}

/// A key that only some actions take.
struct OwnKey {
  std::string_view name;
  std::string (*line)(const FaultSpec &);
};

std::string target(const FaultSpec &f, bool is_address) {
  if (f.target.symbol.empty() != is_address)
    return "";
  if (is_address)
    return fmt::format("address = {:#x}\n", f.target.offset);
  return f.target.offset == 0 ? fmt::format("symbol = {}\n", quoted(f.target.symbol))
                              : fmt::format("symbol = \"{}+{:#x}\"\n", f.target.symbol, f.target.offset);
}

constexpr OwnKey kOwnKeys[] = {
    {"duration_ms", [](const FaultSpec &f) { return fmt::format("duration_ms = {}\n", f.duration_ms); }},
    {"error", [](const FaultSpec &f) { return fmt::format("error = {}\n", f.error); }},
    {"percent", [](const FaultSpec &f) { return fmt::format("percent = {}\n", f.percent); }},
    {"vector", [](const FaultSpec &f) { return fmt::format("vector = {}\n", f.vector); }},
    {"address", [](const FaultSpec &f) { return target(f, true); }},
    {"symbol", [](const FaultSpec &f) { return target(f, false); }},
    {"to", [](const FaultSpec &f) { return fmt::format("to = {}\n", f.to); }},
    {"bits", [](const FaultSpec &f) { return fmt::format("bits = {:#x}\n", f.bits); }},
    {"skew_us", [](const FaultSpec &f) { return fmt::format("skew_us = {}\n", f.skew_us); }},
};

void print_fault(const FaultSpec &f, std::string &out) {
  fmt::format_to(std::back_inserter(out), "\n[[fault]]\ncpu = {}\nat = {}\naction = {}\n", cpus(f.cpus),
                 quoted(f.at.text), quoted(name(f.action)));
  for (const OwnKey &key : kOwnKeys)
    if (takes(*find_action(name(f.action)), key.name))
      out += key.line(f);
  fmt::format_to(std::back_inserter(out), "attempt = {}\ncycle = {}\ncount = {}\nprobability = {}\n",
                 f.attempt, f.cycle, f.count, f.probability);
}

void print_sim(const SimSpec &sim, std::string &out) {
  fmt::format_to(std::back_inserter(out),
                 "\n[sim]\nprepare_us = {}\nkick_us = {}\nwake_us = {}\nboot_us = {}\nstep_us = {}\n"
                 "ipi_us = {}\nserve_us = {}\njitter = {}\n",
                 sim.prepare_us, sim.kick_us, sim.wake_us, sim.boot_us, sim.step_us, sim.ipi_us, sim.serve_us,
                 sim.jitter);
  for (const LatencySpec &latency : sim.latencies)
    fmt::format_to(std::back_inserter(out), "\n[[sim.latency]]\ncpu = {}\nat = {}\nus = {}\n",
                   cpus(latency.cpus), quoted(latency.at), latency.us);
}

/// CPUs with the same value share a line: { "1-3" = value }.
template <class Value, class Format>
std::string per_cpu(const std::map<CpuIndex, Value> &values, Format &&format) {
  std::map<Value, std::vector<CpuIndex>> by_value;
  for (const auto &[cpu, value] : values)
    by_value[value].push_back(cpu);
  std::string out;
  for (const auto &[value, list] : by_value)
    out += fmt::format("{}{} = {}", out.empty() ? "{ " : ", ", quoted(format_cpulist(list)), format(value));
  return out + " }";
}

void print_expect(const ExpectSpec &e, std::string &out) {
  out += "\n[expect]\n";
  if (!e.online.empty())
    out += fmt::format("online = {}\n", quoted(format_cpulist(e.online)));
  if (!e.failed.empty())
    out += fmt::format("failed = {}\n", per_cpu(e.failed, quoted));
  if (e.within_ms)
    out += fmt::format("within_ms = {}\n", *e.within_ms);
  if (!e.attempts.empty())
    out += fmt::format("attempts = {}\n",
                       per_cpu(e.attempts, [](std::uint32_t n) { return fmt::format("{}", n); }));
}

} // namespace

std::string to_toml(const Scenario &scenario) {
  std::string out = fmt::format("title = {}\n\n", quoted(scenario.title));
  print_machine(scenario.machine, out);
  print_bringup(scenario.bringup, out);
  print_sim(scenario.sim, out);
  for (const FaultSpec &fault : scenario.faults)
    print_fault(fault, out);
  print_expect(scenario.expect, out);
  out +=
      fmt::format("\n# The run ends within {} ms; what is undecided then is lost.\n", run_bound_ms(scenario));
  return out;
}

} // namespace reveille::vmm
