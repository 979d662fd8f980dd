#include "vmm/machine/kernel_apic.hpp"

namespace reveille::vmm {

Result<void> KernelApicBus::send(std::uint32_t to_apic_id, ApicMessage message) {
  return vm_.signal_msi(to_apic_id, static_cast<std::uint8_t>(message.delivery), message.vector);
}

} // namespace reveille::vmm
