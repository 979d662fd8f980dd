// Which memory is free. CPU 0 alone, before the first kick.
#pragma once

#include "guest/boot/start_info.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace reveille::guest::boot {

struct Range {
  std::uint64_t from = 0;
  std::uint64_t to = 0; ///< exclusive
};

class MemoryMap {
public:
  /// Reads the loader's map, and takes out what it, this image and the first page occupy.
  explicit MemoryMap(const StartInfo &info);

  /// Takes a range out. Ranges that touch each other are kept as one; when there is no room
  /// for another, the last one grows over what is between.
  void reserve(std::uint64_t address, std::uint64_t size);

  /// Finds room in RAM between `from` and `to` and takes it out; 0 when there is none. The
  /// alignment is a power of two. The memory is not cleared.
  [[nodiscard]] std::uint64_t allocate(std::uint64_t size, std::uint64_t alignment, Range within);
  /// The same above 1 MiB.
  [[nodiscard]] std::uint64_t allocate(std::uint64_t size, std::uint64_t alignment);

private:
  [[nodiscard]] std::uint64_t place_in(Range region, std::uint64_t size, std::uint64_t alignment) const;
  [[nodiscard]] const Range *reserved_in(Range range) const;

  std::span<const MemoryMapEntry> map_;
  std::array<Range, 48> reserved_{};
  unsigned reserved_count_ = 0;
};

} // namespace reveille::guest::boot
