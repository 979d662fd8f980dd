// The guest's ELF file: untrusted, read whole, checked, then copied into guest memory.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/machine/guest_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace reveille::vmm {

/// An ELF64 x86-64 executable with a PVH entry. Every error is kUsage, one message that
/// names the file and the reason.
class GuestImage {
public:
  /// Reads and checks a file of at most 256 MiB.
  [[nodiscard]] static Result<GuestImage> open(const std::string &path);

  /// Checks bytes that are in memory already; `name` is for messages.
  [[nodiscard]] static Result<GuestImage> parse(std::string name, std::vector<std::byte> file);

  /// Copies the segments into RAM, zero-filling what the file does not hold. Fails when one
  /// is not all RAM or touches a `reserved` range.
  [[nodiscard]] Result<void> load(const GuestMemory &memory, std::span<const GuestRange> reserved) const;

  /// Guest-physical address of the PVH entry, XEN_ELFNOTE_PHYS32_ENTRY.
  [[nodiscard]] std::uint32_t entry() const { return entry_; }

  [[nodiscard]] const std::string &name() const { return name_; }
  [[nodiscard]] std::span<const std::byte> file() const { return file_; }

  struct Segment {
    GuestRange range;   ///< guest-physical
    std::uint64_t from; ///< offset in the file
    std::uint64_t held; ///< bytes that the file holds; the rest of the range is zero
  };
  /// PT_LOAD segments, sorted by address, none overlapping.
  [[nodiscard]] const std::vector<Segment> &segments() const { return segments_; }

private:
  GuestImage(std::string name, std::vector<std::byte> file)
      : name_(std::move(name)), file_(std::move(file)) {}

  std::string name_;
  std::vector<std::byte> file_;
  std::vector<Segment> segments_;
  std::uint32_t entry_ = 0;
};

} // namespace reveille::vmm
