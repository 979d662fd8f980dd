// INIT and SIPI by each keeper of the local APICs.
#include "vmm/probe/probes.hpp"
#include "vmm/probe/tiny_guest.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace reveille::vmm {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kXapicBase = 0xfee00000; // SDM 3, 11.4.1 "The Local APIC Block Diagram"
constexpr std::uint64_t kIcrHigh = kXapicBase + 0x310;
constexpr std::uint64_t kIcrLow = kXapicBase + 0x300;
constexpr std::uint32_t kX2apicId = 0x802;    // SDM 3, 11.12.1.2 "x2APIC Register Address Space"
constexpr std::uint32_t kTscDeadline = 0x6e0; // IA32_TSC_DEADLINE, SDM 3, 11.5.4.1 "TSC-Deadline Mode"

// What ICR writes say: SDM 3, 11.6.1 "Interrupt Command Register (ICR)".
constexpr std::uint64_t kDestinationOne = 1ULL << 24;
constexpr std::uint64_t kInit = 0x4500;                                 // INIT, assert
constexpr std::uint64_t kStartupIpi = 0x4600 | TinyGuest::kStartupPage; // SIPI, vector

constexpr std::uint16_t kPort = 0x80;
constexpr std::uint8_t kSent = 0x51;
constexpr std::uint8_t kAwake = 0x5a;

/// What the AP does: mov al, kAwake; out kPort, al; cli; hlt.
constexpr auto kAp = "\xb0\x5a\xe6\x80\xfa\xf4"sv;

/// What the boot CPU does, with DS at the LAPIC: ICR high, INIT, SIPI; then out.
constexpr auto kSendXapic = "\x66\xc7\x06\x10\x03\x00\x00\x00\x01" // mov dword [0x310], 1 << 24
                            "\x66\xc7\x06\x00\x03\x00\x45\x00\x00" // mov dword [0x300], 0x4500
                            "\x66\xc7\x06\x00\x03\x01\x46\x00\x00" // mov dword [0x300], 0x4601
                            "\xb0\x51\xe6\x80\xfa\xf4"sv;          // mov al, 0x51; out 0x80, al; cli; hlt

/// The same in x2APIC mode, for APIC ID 300 (0x12c).
constexpr std::uint32_t kWideId = 300;
constexpr auto kSendX2apic = "\x66\xb9\x30\x08\x00\x00" // mov ecx, 0x830 (ICR)
                             "\x66\xba\x2c\x01\x00\x00" // mov edx, 300
                             "\x66\xb8\x00\x45\x00\x00" // mov eax, 0x4500
                             "\x0f\x30"                 // wrmsr
                             "\x66\xb8\x01\x46\x00\x00" // mov eax, 0x4601
                             "\x0f\x30"                 // wrmsr
                             "\xb0\x51\xe6\x80\xfa\xf4"sv;

/// mov ecx, the MSR; rdmsr; out 0x80, al; cli; hlt.
constexpr auto kReadX2apicId = "\x66\xb9\x02\x08\x00\x00\x0f\x32\xe6\x80\xfa\xf4"sv;
constexpr auto kReadTscDeadline = "\x66\xb9\xe0\x06\x00\x00\x0f\x32\xe6\x80\xfa\xf4"sv;

Finding lacks(std::string found) { return {Standing::kLacks, std::move(found)}; }

/// Has the boot CPU send, and then looks whether the AP comes.
Finding wake_an_ap(TinyGuest &guest) {
  if (const Exit exit = guest.run(0); !is_out(exit, kPort, kSent))
    return lacks(fmt::format("the boot CPU did not get through its ICR writes: {}", how_it_ended(exit)));
  if (const Exit exit = guest.run(1); !is_out(exit, kPort, kAwake))
    return lacks(fmt::format("INIT and SIPI did not start an AP: {}", how_it_ended(exit)));
  return {Standing::kWorks, "INIT and SIPI by the ICR started an AP"};
}

Finding probe_lapic_of(const Kvm &kvm, LapicKeeper keeper) {
  auto guest = TinyGuest::create(kvm, keeper, std::array{0u, 1u});
  if (!guest)
    return lacks(guest.error().message);
  guest->put(TinyGuest::kStartup, kAp);
  guest->put(TinyGuest::kBoot, kSendXapic);
  if (const auto r = guest->boot(0, kXapicBase); !r)
    return lacks(r.error().message);
  return wake_an_ap(*guest);
}

/// Takes a LAPIC register write out of the boot CPU. Empty: that was it.
std::optional<Finding> take_write(TinyGuest &guest, std::uint64_t gpa, std::uint64_t value) {
  const Exit exit = guest.run(0);
  const auto *write = std::get_if<MmioWrite>(&exit);
  if (write != nullptr && write->gpa == gpa && write->value == value)
    return std::nullopt;
  return lacks(fmt::format("a write of {:#x} to {:#x} did not come out: {}", value, gpa, how_it_ended(exit)));
}

/// What a SIPI does to a CPU that waits for it: SDM 3, 9.4.3 "MP Initialization Protocol Algorithm".
Result<void> start_up(Vcpu &vcpu) {
  auto special = vcpu.sregs();
  if (!special)
    return tl::unexpected(special.error());
  special->cs.selector = TinyGuest::kStartupPage << 8;
  special->cs.base = TinyGuest::kStartup;
  if (auto r = vcpu.set_sregs(*special); !r)
    return r;
  kvm_regs general = {};
  general.rflags = 2;
  return vcpu.set_regs(general);
}

/// xAPIC, whose registers are memory.
Finding probe_mmio(TinyGuest &guest) {
  for (const auto &[gpa, value] :
       {std::pair{kIcrHigh, kDestinationOne}, {kIcrLow, kInit}, {kIcrLow, kStartupIpi}})
    if (auto wrong = take_write(guest, gpa, value))
      return *wrong;
  if (const auto r = start_up(guest.vcpu(1)); !r)
    return lacks(r.error().message);
  return wake_an_ap(guest);
}

/// x2APIC, whose registers are MSRs, and the deadline of the timer, which is one in any mode.
Finding probe_msr(TinyGuest &guest, std::string_view code, std::uint32_t index) {
  constexpr std::uint8_t kValue = 0x2a; // any that KVM would not make up
  guest.put(TinyGuest::kBoot, code);
  if (const auto r = guest.boot(0); !r)
    return lacks(r.error().message);
  if (const auto r = guest.vcpu(0).enable_x2apic(); !r)
    return lacks(r.error().message);
  const Exit exit = guest.run(0);
  const auto *read = std::get_if<MsrRead>(&exit);
  if (read == nullptr || read->index != index)
    return lacks(fmt::format("a read of MSR {:#x} did not come out: {}", index, how_it_ended(exit)));
  guest.vcpu(0).reply_msr(kValue);
  if (const Exit after = guest.run(0); !is_out(after, kPort, kValue))
    return lacks(
        fmt::format("the guest did not get what was read of MSR {:#x}: {}", index, how_it_ended(after)));
  return {Standing::kWorks, "ICR writes come out as MMIO, x2APIC accesses as MSR exits, and an AP started"};
}

} // namespace

Finding probe_kernel_lapic(const Kvm &kvm) { return probe_lapic_of(kvm, LapicKeeper::kKernel); }

Finding probe_split_lapic(const Kvm &kvm) { return probe_lapic_of(kvm, LapicKeeper::kSplit); }

Finding probe_user_lapic(const Kvm &kvm) {
  auto guest = TinyGuest::create(kvm, LapicKeeper::kNobody, std::array{0u, 1u});
  if (!guest)
    return lacks(guest.error().message);
  constexpr Vm::HandedMsr kHanded[] = {{kTscDeadline, true, true}};
  if (const auto r = guest->vm().hand_over_msrs(kHanded); !r)
    return lacks(r.error().message);
  guest->put(TinyGuest::kStartup, kAp);
  guest->put(TinyGuest::kBoot, kSendXapic);
  if (const auto r = guest->boot(0, kXapicBase); !r)
    return lacks(r.error().message);
  Finding mmio = probe_mmio(*guest);
  if (mmio.standing != Standing::kWorks)
    return mmio;
  const Finding deadline = probe_msr(*guest, kReadTscDeadline, kTscDeadline);
  return deadline.standing == Standing::kWorks ? probe_msr(*guest, kReadX2apicId, kX2apicId) : deadline;
}

Finding probe_wide_apic_ids(const Kvm &kvm) {
  auto guest = TinyGuest::create(kvm, LapicKeeper::kKernel, std::array{0u, kWideId}, true);
  if (!guest)
    return lacks(guest.error().message);
  guest->put(TinyGuest::kStartup, kAp);
  guest->put(TinyGuest::kBoot, kSendX2apic);
  if (const auto r = guest->boot(0); !r)
    return lacks(r.error().message);
  for (const std::size_t index : {0u, 1u})
    if (const auto r = guest->vcpu(index).enable_x2apic(); !r)
      return lacks(r.error().message);
  Finding woken = wake_an_ap(*guest);
  if (woken.standing == Standing::kWorks)
    woken.found = fmt::format("INIT and SIPI started the AP with ID {}", kWideId);
  return woken;
}

} // namespace reveille::vmm
