#include "vmm/lapic/registers.hpp"
#include "vmm/scenario/build.hpp"
#include "vmm/scenario/memory.hpp"
#include "vmm/scenario/section.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

constexpr std::uint32_t kMaxXapicCpus = lapic::kLastXapicId + 1; // from ID 0 on

void build_bringup(SectionReader &keys, Scenario &s, Limits &limits) {
  BringupSpec &b = s.bringup;
  b.strategy = static_cast<abi::Strategy>(keys.choice("strategy").value_or(0));
  b.wait = static_cast<abi::Wait>(keys.choice("wait").value_or(0));
  b.stop = static_cast<abi::Stop>(keys.choice("stop").value_or(0));
  limits.stops = b.stop == abi::Stop::kInit;
  b.window = keys.integer("window").value_or(0);
  b.timeout_ms = keys.number("timeout_ms").value_or(0);
  if (const auto attempts = keys.integer("attempts"))
    b.attempts = limits.attempts = *attempts;
  b.primary_threads_first = keys.boolean("primary_threads_first").value_or(false);
  if (const auto cycles = keys.integer("cycles"))
    b.cycles = limits.cycles = *cycles;
  b.max_cpus = keys.integer("max_cpus").value_or(limits.vcpus);
  if (b.max_cpus > limits.vcpus)
    keys.reject("max_cpus",
                fmt::format("{} is more than the machine has (vcpus = {})", b.max_cpus, limits.vcpus));
  else if (!keys.given("max_cpus") || keys.find("max_cpus") != nullptr)
    limits.max_cpus = b.max_cpus;
  else
    limits.max_cpus = limits.vcpus;
}

void check_memory(SectionReader &keys, Scenario &s) {
  const std::uint32_t least = default_memory_mib({s.machine.vcpus, s.bringup.attempts, s.bringup.strategy});
  s.machine.memory_mib = keys.integer("memory_mib").value_or(least);
  if (s.machine.memory_mib < least && s.backend == Backend::kKvm) // the simulated machine needs none
    keys.reject("memory_mib",
                fmt::format("{} is too little: {} vCPU{} with {} attempt{} need{} at least {}",
                            s.machine.memory_mib, s.machine.vcpus, s.machine.vcpus == 1 ? "" : "s",
                            s.bringup.attempts, s.bringup.attempts == 1 ? "" : "s",
                            s.machine.vcpus == 1 ? "s" : "", least));
}

} // namespace

Limits build_machine(const Node *machine, const Node *bringup, Scenario &s, Diagnostics &diag) {
  const std::uint32_t most = most_vcpus(s.backend);
  Limits limits{most, most};
  SectionReader keys(machine, KeySection::kMachine, "machine", {1, 1, -1}, diag, most);
  const auto vcpus = keys.integer("vcpus");
  if (vcpus)
    s.machine.vcpus = limits.vcpus = *vcpus;
  s.machine.apic = static_cast<ApicMode>(keys.choice("apic").value_or(0));
  s.machine.x2apic = static_cast<X2apic>(keys.choice("x2apic").value_or(0));
  s.machine.threads_per_core = keys.integer("threads_per_core").value_or(1);
  if (vcpus && s.machine.x2apic == X2apic::kOff && *vcpus > kMaxXapicCpus)
    keys.reject("x2apic",
                fmt::format("\"off\" takes at most {} vCPUs, and there are {}: higher IDs need x2APIC",
                            kMaxXapicCpus, *vcpus));

  SectionReader bringup_keys(bringup, KeySection::kBringup, "bringup", {1, 1, -1}, diag, most);
  build_bringup(bringup_keys, s, limits);
  if (vcpus && bringup_keys.integer("attempts"))
    check_memory(keys, s);
  return limits;
}

} // namespace reveille::vmm
