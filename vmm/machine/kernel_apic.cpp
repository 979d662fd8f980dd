#include "vmm/machine/kernel_apic.hpp"

namespace reveille::vmm {

Result<void> KernelApicBus::send(std::uint32_t to_apic_id, const lapic::Message &message) {
  return vm_.signal_msi(to_apic_id, message);
}

} // namespace reveille::vmm
