#include "vmm/machine/apic_ids.hpp"

#include <fmt/format.h>

namespace reveille::vmm {

Result<ApicSetup> apic_setup(const MachineSpec &machine) {
  ApicSetup setup;
  setup.needs_wide_ids = apic_id(machine.vcpus - 1) > kMaxXapicId;
  setup.offers_x2apic = machine.x2apic != X2apic::kOff;
  setup.starts_x2apic = machine.x2apic == X2apic::kOn || setup.needs_wide_ids;
  if (setup.needs_wide_ids && !setup.offers_x2apic)
    return fail(
        ExitStatus::kUsage,
        fmt::format("x2apic = \"off\" cannot address {} vCPUs: xAPIC ends at APIC ID {}; use at most {} "
                    "vCPUs, or x2apic = \"auto\"",
                    machine.vcpus, kMaxXapicId, kMaxXapicId + 1));
  return setup;
}

} // namespace reveille::vmm
