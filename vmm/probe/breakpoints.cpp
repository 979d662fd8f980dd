// Hardware breakpoints, by hitting one.
#include "vmm/probe/probes.hpp"
#include "vmm/probe/tiny_guest.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace reveille::vmm {
namespace {

using namespace std::string_view_literals;

constexpr auto kCode =
    "\x90\x90\x90\xb0\x5a\xe6\x80\xfa\xf4"sv;          // nop x 3; mov al, 0x5a; out 0x80, al; cli; hlt
constexpr std::uint64_t kAt = TinyGuest::kStartup + 1; // linear: CS base + IP
constexpr std::uint32_t kAp = 1;

Finding lacks(std::string found) { return {Standing::kLacks, std::move(found)}; }

/// Empty: the run ended before the instruction at `pc`.
std::optional<Finding> stop_at(TinyGuest &guest, std::uint64_t pc, std::string_view what) {
  const Exit exit = guest.run(kAp);
  const auto *debug = std::get_if<Debug>(&exit);
  if (debug != nullptr && debug->pc == pc)
    return std::nullopt;
  return lacks(fmt::format("{} at {:#x} did not come: {}", what, pc, how_it_ended(exit)));
}

} // namespace

Finding probe_breakpoints(const Kvm &kvm) {
  auto guest = TinyGuest::create(kvm, LapicKeeper::kKernel, std::array{0u, kAp});
  if (!guest)
    return lacks(guest.error().message);
  guest->put(TinyGuest::kStartup, kCode);
  Vcpu &ap = guest->vcpu(kAp);
  if (const auto r = ap.set_breakpoints(std::array{kAt}); !r)
    return lacks(r.error().message);
  if (const auto r = guest->vm().signal_msi(kAp, {lapic::Delivery::kInit}); !r)
    return lacks(r.error().message);
  if (const auto r = guest->vm().signal_msi(kAp, {lapic::Delivery::kStartup, TinyGuest::kStartupPage}); !r)
    return lacks(r.error().message);
  if (auto wrong = stop_at(*guest, kAt, "the breakpoint"))
    return *wrong;
  if (const auto r = ap.set_single_step(); !r)
    return lacks(r.error().message);
  if (auto wrong = stop_at(*guest, kAt + 1, "the single step"))
    return *wrong;
  if (const auto r = ap.set_breakpoints({}); !r)
    return lacks(r.error().message);
  if (const Exit exit = guest->run(kAp); !is_out(exit, 0x80, 0x5a))
    return lacks(fmt::format("the AP did not go on from the breakpoint: {}", how_it_ended(exit)));
  return {Standing::kWorks, "armed before INIT and SIPI, hit once, stepped over"};
}

} // namespace reveille::vmm
