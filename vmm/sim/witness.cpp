#include "vmm/sim/witness.hpp"

#include "vmm/base/digest.hpp"
#include "vmm/sim/guest.hpp"

#include <fmt/format.h>

#include <cstring>

namespace reveille::vmm::sim {

std::uint64_t Guest::digest(CpuIndex cpu) const {
  const Cpu &c = cpus_[cpu];
  Digest digest;
  digest.add({c.word.load(), c.lease.load(), c.tsc_ap.mark.load(), c.tsc_ap.tsc.load(), c.tsc_cp.mark.load(),
              c.tsc_cp.tsc.load()});
  for (const std::uint32_t area : c.area_of_page)
    digest.add(area);
  digest.add({c.mine.cpu, c.mine.attempt, c.mine.token, c.control, c.ordinal, c.cycle, c.lost_events,
              c.events.size(), c.online ? 1u : 0u, static_cast<std::uint64_t>(c.owed), c.ap ? 1u : 0u});
  return digest.value();
}

/// By its bytes: the map tells nobody what is in it without taking it out, and one thread does it all.
std::uint64_t Guest::arrivals_digest() const {
  static_assert(sizeof(Arrivals) % sizeof(std::uint64_t) == 0);
  const auto *bytes = reinterpret_cast<const std::byte *>(&arrivals_);
  Digest digest;
  for (std::size_t at = 0; at < sizeof(Arrivals); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, sizeof(word));
    digest.add(word);
  }
  return digest.value();
}

Untouched::Untouched(Guest &guest, CpuIndex cpu)
    : guest_(guest), cpu_(cpu), own_(guest.digest(cpu)), arrivals_(0), areas_(guest.areas_in_use()) {
  for (CpuIndex each = 0; each < looked_at(); ++each)
    slots_.push_back(guest.digest(each));
  if (looked_at() != 0)
    arrivals_ = guest.arrivals_digest();
}

CpuIndex Untouched::looked_at() const { return guest_.cpus() <= kMostLookedAt ? guest_.cpus() : 0; }

std::string Untouched::what_changed() const {
  if (guest_.digest(cpu_) != own_)
    return "its own slot";
  for (CpuIndex each = 0; each < looked_at(); ++each)
    if (guest_.digest(each) != slots_[each])
      return "the slot of another CPU";
  if (looked_at() != 0 && guest_.arrivals_digest() != arrivals_)
    return "the arrival map";
  if (guest_.areas_in_use() != areas_)
    return "the pool of areas";
  return "";
}

std::string difference(const Handed &handed, const Handed &found) {
  const auto text = [&](const char *what, std::uint32_t before, std::uint32_t now) {
    return fmt::format("{} {} was handed over with the kick, and {} was found at the claim", what, before,
                       now);
  };
  if (handed.area != found.area)
    return text("area", handed.area, found.area);
  if (handed.ordinal != found.ordinal)
    return text("try", handed.ordinal, found.ordinal);
  if (handed.cycle != found.cycle)
    return text("cycle", handed.cycle, found.cycle);
  return "";
}

} // namespace reveille::vmm::sim
