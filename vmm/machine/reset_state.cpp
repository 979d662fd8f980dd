#include "vmm/machine/reset_state.hpp"

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kCr0CacheBits = 3ull << 29; // CD and NW

/// A SIPI's vector is the page: CS = vector << 8, IP = 0. SDM 3, 9.4.3.
void stand_at(kvm_sregs &special, kvm_regs &general, std::uint8_t page) {
  special.cs.selector = static_cast<std::uint16_t>(page << 8);
  special.cs.base = std::uint64_t{page} << 12;
  general.rip = 0;
}

Result<void> set(Vcpu &vcpu, const kvm_sregs &special, const kvm_regs &general) {
  if (auto r = vcpu.set_sregs(special); !r)
    return r;
  if (auto r = vcpu.set_regs(general); !r)
    return r;
  vcpu.forget_interrupt_window();
  return {};
}

/// Neither an exception nor an interrupt is on its way, nothing is masked; the flags stay those that KVM has.
Result<void> clear_events(Vcpu &vcpu) {
  const auto had = vcpu.events();
  if (!had)
    return tl::unexpected(had.error());
  kvm_vcpu_events none = {};
  none.flags = had->flags;
  return vcpu.set_events(none);
}

} // namespace

Result<ResetState> ResetState::of(const Vcpu &vcpu) {
  ResetState state;
  const auto general = vcpu.regs();
  if (!general)
    return tl::unexpected(general.error());
  const auto special = vcpu.sregs();
  if (!special)
    return tl::unexpected(special.error());
  const auto debug = vcpu.debugregs();
  if (!debug)
    return tl::unexpected(debug.error());
  state.general_ = *general;
  state.special_ = *special;
  state.debug_ = *debug;
  return state;
}

Result<void> ResetState::restore(Vcpu &vcpu, std::uint64_t apic_base,
                                 std::optional<std::uint8_t> start) const {
  const auto was = vcpu.sregs();
  if (!was)
    return tl::unexpected(was.error());
  kvm_regs general = general_;
  kvm_sregs special = special_;
  special.cr0 = (special.cr0 & ~kCr0CacheBits) | (was->cr0 & kCr0CacheBits);
  special.apic_base = apic_base;
  special.cr8 = 0;
  if (start)
    stand_at(special, general, *start);
  if (auto r = clear_events(vcpu); !r)
    return r;
  if (auto r = vcpu.set_debugregs(debug_); !r)
    return r;
  return set(vcpu, special, general);
}

Result<void> ResetState::start(Vcpu &vcpu, std::uint8_t start) {
  auto special = vcpu.sregs();
  if (!special)
    return tl::unexpected(special.error());
  auto general = vcpu.regs();
  if (!general)
    return tl::unexpected(general.error());
  stand_at(*special, *general, start);
  return set(vcpu, *special, *general);
}

} // namespace reveille::vmm
