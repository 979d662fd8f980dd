#include "vmm/machine/guest_memory.hpp"

#include "vmm/machine/pagemap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace reveille::vmm {
namespace {

constexpr std::size_t kPage = 4096;

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

} // namespace

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

Result<GuestMemory::Copy> GuestMemory::copy() const {
  const std::span<std::byte> all = mapping_.bytes();
  const auto touched = touched_pages(all);
  if (!touched)
    return tl::unexpected(touched.error());
  Copy copy;
  for (std::size_t page = 0; page < touched->size(); ++page) {
    const auto bytes = all.subspan(page * kPage, std::min(kPage, all.size() - page * kPage));
    if (!(*touched)[page] || is_zero(bytes))
      continue;
    const std::uint64_t offset = page * kPage;
    if (copy.pieces.empty() || copy.pieces.back().offset + copy.pieces.back().bytes.size() != offset)
      copy.pieces.push_back({offset, {}});
    auto &piece = copy.pieces.back().bytes;
    piece.insert(piece.end(), bytes.begin(), bytes.end());
  }
  return copy;
}

Result<void> GuestMemory::clear() {
  const std::span<std::byte> all = mapping_.bytes();
  if (::madvise(all.data(), all.size(), MADV_DONTNEED) != 0)
    return fail(ExitStatus::kBroken,
                fmt::format("cannot clear the guest's memory: {}", std::strerror(errno)));
  return {};
}

Result<void> GuestMemory::put_back(const Copy &copy) {
  if (auto r = clear(); !r)
    return r;
  for (const Copy::Piece &piece : copy.pieces)
    std::copy(piece.bytes.begin(), piece.bytes.end(), mapping_.bytes().subspan(piece.offset).begin());
  return {};
}

} // namespace reveille::vmm
