// The probes: each does one thing with this host's KVM and says what came of it. `vmm doctor` shows
// them all; a scenario that needs one of these things is refused by the same function.
#pragma once

#include "vmm/kvm/kvm.hpp"

#include <string>

namespace reveille::vmm {

enum class Standing : std::uint8_t {
  kWorks,
  kPartly, ///< the lab works, with less
  kLacks,
};

/// What a probe has found.
struct Finding {
  Standing standing = Standing::kLacks;
  std::string found; ///< one phrase, without a final full stop
};

// Each builds a machine of a few pages, runs a few instructions in it, each run within
// TinyGuest::kBound, and leaves nothing behind. Most take 20 ms, nearly all of it waiting for the
// VM to go. Any thread may call them, one at a time.

/// A CPU that sends INIT and SIPI through its LAPIC's ICR, and an AP that starts by that.
[[nodiscard]] Finding probe_kernel_lapic(const Kvm &kvm);
[[nodiscard]] Finding probe_split_lapic(const Kvm &kvm); ///< KVM_CAP_SPLIT_IRQCHIP
/// No LAPIC in the kernel: the ICR writes come out as MMIO, x2APIC and deadline accesses as MSR exits, and an
/// AP starts where the program puts it.
[[nodiscard]] Finding probe_user_lapic(const Kvm &kvm);

/// The same as probe_kernel_lapic() in x2APIC mode, for the APIC ID 300.
[[nodiscard]] Finding probe_wide_apic_ids(const Kvm &kvm);

/// How many vCPUs and IDs KVM says it has, and whether the highest ID can be created.
[[nodiscard]] Finding probe_vcpu_limits(const Kvm &kvm);

/// A hardware breakpoint that is armed on an AP before its INIT and SIPI, hit, and stepped over.
[[nodiscard]] Finding probe_breakpoints(const Kvm &kvm);

/// Whether a guest reads another TSC when its offset is another.
[[nodiscard]] Finding probe_tsc_offset(const Kvm &kvm);

/// Whether rdtsc runs in ring 0, and instructions that the emulator of a KVM without hardware
/// virtualisation may not know: rdtscp, popcnt, int3, cmpxchg16b, xsave.
[[nodiscard]] Finding probe_instructions(const Kvm &kvm);

} // namespace reveille::vmm
