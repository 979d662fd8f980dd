#include "vmm/probe/needs.hpp"

#include "vmm/lapic/registers.hpp"
#include "vmm/probe/probes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

bool needs_wide_ids(const Scenario &scenario) {
  return scenario.machine.vcpus - 1 > lapic::kLastXapicId && scenario.machine.apic != ApicMode::kUser;
}

bool needs_split(const Scenario &scenario) { return scenario.machine.apic == ApicMode::kSplit; }

bool needs_user(const Scenario &scenario) { return scenario.machine.apic == ApicMode::kUser; }

bool needs_breakpoints(const Scenario &scenario) {
  const bool lapics_are_ours = needs_user(scenario); // they tell what is sent
  return std::ranges::any_of(scenario.faults, [&](const FaultSpec &fault) {
    return std::holds_alternative<CodePlace>(fault.at.where) ||
           (std::holds_alternative<DeliveryPlace>(fault.at.where) && !lapics_are_ours);
  });
}

bool needs_tsc_offset(const Scenario &scenario) {
  return std::ranges::any_of(scenario.faults,
                             [](const FaultSpec &fault) { return fault.action == Action::kSkew; });
}

struct Need {
  bool (*is_there)(const Scenario &);
  Finding (*probe)(const Kvm &);
  std::string_view what; ///< "this scenario needs ..."
  std::string_view way_out;
};

constexpr Need kNeeds[] = {
    {needs_wide_ids, probe_wide_apic_ids, "APIC IDs above 254 (more than 255 vCPUs)",
     "use at most 255 vCPUs"},
    {needs_split, probe_split_lapic, "LAPICs without the rest of the interrupt chips (apic = \"split\")",
     "use apic = \"kernel\""},
    {needs_user, probe_user_lapic, "accesses to LAPICs that come out of KVM (apic = \"user\")",
     "use apic = \"kernel\""},
    {needs_breakpoints, probe_breakpoints,
     "hardware breakpoints (a fault at an instruction, or at a delivery)",
     "use a place that the guest reports (vmm points), or for deliveries apic = \"user\""},
    {needs_tsc_offset, probe_tsc_offset, "a TSC offset that the guest sees (the action skew)",
     "use a KVM with hardware virtualisation"},
};

} // namespace

Result<void> check_needs(const Kvm &kvm, const Scenario &scenario) {
  for (const Need &need : kNeeds) {
    if (!need.is_there(scenario))
      continue;
    if (const Finding finding = need.probe(kvm); finding.standing != Standing::kWorks)
      return fail(ExitStatus::kUnsupported,
                  fmt::format("this scenario needs {}, which this host's KVM does not have: {}; {}",
                              need.what, finding.found, need.way_out));
  }
  return {};
}

} // namespace reveille::vmm
