#include "guest/boot/memory_map.hpp"

#include "guest/boot/command_line.hpp"
#include "guest/boot/page_tables.hpp"

#include <algorithm>

extern "C" const char image_start[];
extern "C" const char image_end[];

namespace reveille::guest::boot {

namespace {

constexpr std::uint64_t kHigh = 1u << 20;
/// A loader's lists; longer ones are garbage.
constexpr std::uint32_t kMostEntries = 512;

} // namespace

MemoryMap::MemoryMap(const StartInfo &info) {
  reserve(0, kPageSize); // the real-mode vectors and the BIOS's data
  const auto first = reinterpret_cast<std::uint64_t>(image_start);
  reserve(first, reinterpret_cast<std::uint64_t>(image_end) - first);
  reserve(reinterpret_cast<std::uint64_t>(&info), sizeof(info));
  if (info.command_line != 0)
    reserve(info.command_line, kLongestCommandLine);

  const std::uint32_t modules = std::min(info.module_count, kMostEntries);
  if (modules != 0 && is_mapped(info.modules, modules * sizeof(Module))) {
    reserve(info.modules, modules * sizeof(Module));
    for (const Module &m : std::span(reinterpret_cast<const Module *>(info.modules), modules))
      reserve(m.address, m.size);
  }

  const std::uint32_t entries = std::min(info.memory_map_entries, kMostEntries);
  if (info.version >= 1 && entries != 0 && is_mapped(info.memory_map, entries * sizeof(MemoryMapEntry))) {
    reserve(info.memory_map, entries * sizeof(MemoryMapEntry));
    map_ = {reinterpret_cast<const MemoryMapEntry *>(info.memory_map), entries};
  }
}

void MemoryMap::reserve(std::uint64_t address, std::uint64_t size) {
  const Range added{address, address + std::min(size, ~std::uint64_t{0} - address)};
  for (Range &r : std::span(reserved_.data(), reserved_count_))
    if (added.from <= r.to && r.from <= added.to) {
      r = {std::min(r.from, added.from), std::max(r.to, added.to)};
      return;
    }
  if (reserved_count_ < reserved_.size()) {
    reserved_[reserved_count_++] = added;
    return;
  }
  Range &last = reserved_.back();
  last = {std::min(last.from, added.from), std::max(last.to, added.to)};
}

const Range *MemoryMap::reserved_in(Range range) const {
  for (const Range &r : std::span(reserved_.data(), reserved_count_))
    if (r.from < range.to && range.from < r.to)
      return &r;
  return nullptr;
}

std::uint64_t MemoryMap::place_in(Range region, std::uint64_t size, std::uint64_t alignment) const {
  std::uint64_t at = (region.from + alignment - 1) & ~(alignment - 1);
  while (at < region.to && size <= region.to - at) {
    const Range *const taken = reserved_in({at, at + size});
    if (taken == nullptr)
      return at;
    if (taken->to >= region.to)
      break;
    at = (taken->to + alignment - 1) & ~(alignment - 1); // ends: each time beyond one more range
  }
  return 0;
}

std::uint64_t MemoryMap::allocate(std::uint64_t size, std::uint64_t alignment, Range within) {
  if (size == 0)
    return 0;
  for (const MemoryMapEntry &entry : map_) {
    if (entry.type != MemoryMapEntry::kRam || entry.address >= within.to)
      continue;
    const std::uint64_t end = entry.address + std::min(entry.size, within.to - entry.address);
    const std::uint64_t at = place_in({std::max(entry.address, within.from), end}, size, alignment);
    if (at != 0) {
      reserve(at, size);
      return at;
    }
  }
  return 0;
}

std::uint64_t MemoryMap::allocate(std::uint64_t size, std::uint64_t alignment) {
  return allocate(size, alignment, {kHigh, kMapped});
}

} // namespace reveille::guest::boot
