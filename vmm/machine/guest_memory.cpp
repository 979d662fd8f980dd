#include "vmm/machine/guest_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace reveille::vmm {

Result<GuestMemory> GuestMemory::create(std::uint32_t mib) {
  const std::uint64_t size = std::uint64_t{mib} << 20;
  Mapping mapping = Mapping::map(-1, size);
  if (!mapping.is_mapped())
    return fail(
        ExitStatus::kUnsupported,
        fmt::format("reserving {} MiB for the guest's memory failed: {}; set a smaller memory_mib, or "
                    "raise the host's limits on memory (ulimit -v, vm.overcommit_memory)",
                    mib, std::strerror(errno)));
  const std::span<std::byte> all = mapping.bytes();
  const std::uint64_t low = std::min(size, kHoleBegin);
  std::vector<Region> regions = {{0, all.first(low)}};
  if (size > low)
    regions.push_back({kHoleEnd, all.subspan(low)});
  return GuestMemory(std::move(mapping), std::move(regions));
}

std::optional<std::span<std::byte>> GuestMemory::bytes(std::uint64_t gpa, std::uint64_t size) const {
  for (const Region &region : regions_) {
    if (gpa < region.gpa)
      break;
    const std::uint64_t offset = gpa - region.gpa;
    if (offset <= region.host.size() && size <= region.host.size() - offset)
      return region.host.subspan(offset, size);
  }
  return std::nullopt;
}

bool GuestMemory::write_bytes(std::uint64_t gpa, std::span<const std::byte> data) const {
  const auto to = bytes(gpa, data.size());
  if (!to)
    return false;
  std::copy(data.begin(), data.end(), to->begin());
  return true;
}

} // namespace reveille::vmm
