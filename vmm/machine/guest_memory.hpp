// The guest's RAM, and the only way to touch it: every access is checked.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/mapping.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace reveille::vmm {

/// A range of guest-physical addresses, half open. Cannot overflow: end >= begin.
struct GuestRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  /// Nothing when begin + size does not fit into 64 bits.
  [[nodiscard]] static constexpr std::optional<GuestRange> sized(std::uint64_t begin, std::uint64_t size) {
    if (size > UINT64_MAX - begin)
      return std::nullopt;
    return GuestRange{begin, begin + size};
  }
  [[nodiscard]] constexpr std::uint64_t size() const { return end - begin; }
  [[nodiscard]] constexpr bool contains(const GuestRange &other) const {
    return other.begin >= begin && other.end <= end;
  }
  [[nodiscard]] constexpr bool overlaps(const GuestRange &other) const {
    return begin < other.end && other.begin < end;
  }
  friend constexpr bool operator==(const GuestRange &, const GuestRange &) = default;
};

/// Owns the guest's RAM: up to 3 GiB from address 0, the rest from 4 GiB. Pages come into
/// being when touched. Moving it moves no byte: spans and pointers stay good. While vCPUs
/// run, the guest may change any byte at any time, so read a value once and then check it.
class GuestMemory {
public:
  static constexpr std::uint64_t kHoleBegin = 0xc0000000; ///< RAM below ends here; devices above
  static constexpr std::uint64_t kHoleEnd = 0x100000000;  ///< RAM goes on here

  struct Region {
    std::uint64_t gpa;
    std::span<std::byte> host;
  };

  /// Reserves `mib` MiB. Fails with kUnsupported when the host cannot.
  [[nodiscard]] static Result<GuestMemory> create(std::uint32_t mib);

  /// What is in the pages that are not all zero.
  struct Copy {
    struct Piece {
      std::uint64_t offset; ///< in RAM, without the hole
      std::vector<std::byte> bytes;
    };
    std::vector<Piece> pieces; ///< in address order; none next to another
  };

  /// All of it, what is in swap too, while no vCPU runs that writes. Pages that nobody has touched stay so.
  /// Fails with kBroken.
  [[nodiscard]] Result<Copy> copy() const;

  /// Makes every byte zero, by giving the pages back.
  [[nodiscard]] Result<void> clear();

  /// Makes every byte what it was.
  [[nodiscard]] Result<void> put_back(const Copy &copy);

  /// One region, or two around the hole; in address order.
  [[nodiscard]] const std::vector<Region> &regions() const { return regions_; }

  /// Where RAM below the hole ends.
  [[nodiscard]] std::uint64_t low_end() const { return regions_.front().host.size(); }

  /// The bytes of [gpa, gpa + size), if all of them are RAM of one region.
  [[nodiscard]] std::optional<std::span<std::byte>> bytes(std::uint64_t gpa, std::uint64_t size) const;

  /// Copies a value out or in; nothing, or false, when it is not all RAM.
  template <class T> [[nodiscard]] std::optional<T> read(std::uint64_t gpa) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto from = bytes(gpa, sizeof(T));
    if (!from)
      return std::nullopt;
    T value;
    std::memcpy(&value, from->data(), sizeof(T));
    return value;
  }
  template <class T> [[nodiscard]] bool write(std::uint64_t gpa, const T &value) const {
    static_assert(std::is_trivially_copyable_v<T>);
    return write_bytes(gpa, std::as_bytes(std::span(&value, 1)));
  }
  [[nodiscard]] bool write_bytes(std::uint64_t gpa, std::span<const std::byte> data) const;

  /// `count` objects in place, for structures whose members are atomic or which only the
  /// host writes. Null when they are not all RAM or `gpa` is not aligned for T.
  template <class T> [[nodiscard]] T *at(std::uint64_t gpa, std::uint64_t count = 1) const {
    static_assert(std::is_standard_layout_v<T>);
    if (count > UINT64_MAX / sizeof(T) || gpa % alignof(T) != 0)
      return nullptr;
    const auto found = bytes(gpa, count * sizeof(T));
    return found ? reinterpret_cast<T *>(found->data()) : nullptr;
  }

private:
  GuestMemory(Mapping mapping, std::vector<Region> regions)
      : mapping_(std::move(mapping)), regions_(std::move(regions)) {}

  Mapping mapping_;
  std::vector<Region> regions_;
};

} // namespace reveille::vmm
