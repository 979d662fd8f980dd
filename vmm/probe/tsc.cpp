// The TSC offset, by having a guest read its TSC before and after.
#include "vmm/probe/probes.hpp"
#include "vmm/probe/tiny_guest.hpp"

#include <fmt/format.h>

#include <array>

namespace reveille::vmm {
namespace {

using namespace std::string_view_literals;

/// rdtsc; out 0x80, eax; mov eax, edx; out 0x80, eax; and again.
constexpr auto kCode = "\x0f\x31\x66\xe7\x80\x66\x89\xd0\x66\xe7\x80\xeb\xf3"sv;

/// Minutes: more than any two reads are apart, however loaded the host is.
constexpr std::uint64_t kOffset = 1ULL << 40;

Finding lacks(std::string found) { return {Standing::kLacks, std::move(found)}; }

Result<std::uint64_t> half(TinyGuest &guest) {
  const Exit exit = guest.run(0);
  if (const auto *out = std::get_if<IoOut>(&exit); out != nullptr && out->size == 4)
    return out->value();
  return fail(ExitStatus::kUnsupported, fmt::format("the guest did not say its TSC: {}", how_it_ended(exit)));
}

Result<std::uint64_t> read_tsc(TinyGuest &guest) {
  const auto low = half(guest);
  if (!low)
    return tl::unexpected(low.error());
  return half(guest).map([&](std::uint64_t high) { return high << 32 | *low; });
}

} // namespace

Finding probe_tsc_offset(const Kvm &kvm) {
  auto guest = TinyGuest::create(kvm, LapicKeeper::kNobody, std::array{0u});
  if (!guest)
    return lacks(guest.error().message);
  guest->put(TinyGuest::kBoot, kCode);
  if (const auto r = guest->boot(0); !r)
    return lacks(r.error().message);
  const auto before = read_tsc(*guest);
  if (!before)
    return lacks(before.error().message);
  const auto offset = guest->vcpu(0).tsc_offset();
  if (!offset)
    return lacks(offset.error().message);
  if (const auto r = guest->vcpu(0).set_tsc_offset(*offset + kOffset); !r)
    return lacks(r.error().message);
  const auto after = read_tsc(*guest);
  if (!after)
    return lacks(after.error().message);
  const std::uint64_t gained = *after - *before;
  if (gained < kOffset || gained >= 2 * kOffset)
    return lacks(fmt::format("KVM takes an offset of {} ticks, but the guest's TSC has gone on by {}",
                             kOffset, gained));
  return {Standing::kWorks, "a guest reads its TSC with the offset"};
}

} // namespace reveille::vmm
