#include "vmm/kvm/vcpu_state.hpp"

#include <algorithm>

namespace reveille::vmm {
namespace {

/// Into `value`; the first error stays.
template <class T> void take(Result<void> &done, T &value, Result<T> got) {
  if (!done)
    return;
  if (got)
    value = std::move(*got);
  else
    done = tl::unexpected(got.error());
}

/// What completes the access with which it came out, without entering the guest: a vCPU that waits for an
/// INIT would put that off.
Result<void> finish_access(Vcpu &vcpu, bool has_lapic) {
  if (has_lapic)
    if (auto r = vcpu.set_mp_state(MpState::kRunnable); !r)
      return r;
  vcpu.kick();
  static_cast<void>(vcpu.run());
  return {};
}

} // namespace

Result<VcpuState> VcpuState::of(const Vcpu &vcpu, bool has_lapic, std::span<const std::uint32_t> msrs) {
  VcpuState state;
  Result<void> done;
  if (has_lapic) { // first: asking for it is what makes KVM act on an INIT
    take(done, state.mp, vcpu.mp_state());
    kvm_lapic_state lapic = {};
    take(done, lapic, vcpu.lapic());
    state.lapic = lapic;
  }
  take(done, state.general, vcpu.regs());
  take(done, state.special, vcpu.sregs());
  take(done, state.extended, vcpu.xsave());
  take(done, state.control, vcpu.xcrs());
  take(done, state.debug, vcpu.debugregs());
  take(done, state.events, vcpu.events());
  take(done, state.msrs, vcpu.msrs(msrs));
  state.cr8 = vcpu.cr8();
  if (!done)
    return tl::unexpected(done.error());
  std::erase_if(state.msrs, [](const kvm_msr_entry &msr) {
    return std::find(kClockMsrs.begin(), kClockMsrs.end(), msr.index) != kClockMsrs.end();
  });
  return state;
}

/// The LAPIC's mode before its registers, whose layout depends on it; what is pending and what it waits for
/// last, because all else may change it.
Result<void> VcpuState::restore(Vcpu &vcpu) const {
  if (auto r = vcpu.set_breakpoints({}); !r)
    return r;
  if (auto r = finish_access(vcpu, lapic.has_value()); !r)
    return r;
  if (lapic) // drops an INIT or SIPI that is pending
    if (const auto mp_now = vcpu.mp_state(); !mp_now)
      return tl::unexpected(mp_now.error());
  if (auto r = vcpu.set_sregs(special); !r)
    return r;
  if (auto r = vcpu.set_regs(general); !r)
    return r;
  if (auto r = vcpu.set_xcrs(control); !r)
    return r;
  if (auto r = vcpu.set_xsave(extended); !r)
    return r;
  if (auto r = vcpu.set_debugregs(debug); !r)
    return r;
  if (auto r = restore_msrs(vcpu); !r)
    return r;
  if (lapic)
    if (auto r = vcpu.set_lapic(*lapic); !r)
      return r;
  if (auto r = vcpu.set_events(events); !r)
    return r;
  if (lapic)
    if (auto r = vcpu.set_mp_state(mp); !r)
      return r;
  vcpu.set_cr8(cr8);
  vcpu.want_interrupt_window(false);
  vcpu.forget_interrupt_window();
  return {};
}

Result<void> VcpuState::restore_msrs(Vcpu &vcpu) const {
  std::vector<std::uint32_t> indices;
  indices.reserve(msrs.size());
  for (const kvm_msr_entry &msr : msrs)
    indices.push_back(msr.index);
  const auto had = vcpu.msrs(indices);
  if (!had)
    return tl::unexpected(had.error());
  if (had->size() != msrs.size())
    return fail(ExitStatus::kBroken, "a vCPU has lost MSRs that it had");
  for (std::size_t i = 0; i < msrs.size(); ++i)
    if ((*had)[i].data != msrs[i].data)
      if (auto r = vcpu.set_msr(msrs[i].index, msrs[i].data); !r)
        return r;
  return {};
}

} // namespace reveille::vmm
