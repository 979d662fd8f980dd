#include "guest/acpi/find.hpp"

#include <cstring>

namespace reveille::guest::acpi {

namespace {

/// What is mapped; a table that says it is elsewhere cannot be read.
constexpr std::uint64_t kReadable = 1ull << 32;
/// No table is near this long; a length beyond it is garbage and not worth summing up.
constexpr std::uint32_t kLongest = 1u << 20;

template <class T> T load(std::uint64_t address) {
  T value;
  std::memcpy(&value, reinterpret_cast<const void *>(address), sizeof(T));
  return value;
}

/// Whether the bytes add up to zero modulo 256. Eight at a time, as sums of bytes in lanes
/// of 16 bits, since a table of a thousand CPUs is read by an interpreter.
bool adds_up(std::uint64_t address, std::uint32_t length) {
  constexpr std::uint64_t kLanes = 0x00ff'00ff'00ff'00ff;
  std::uint64_t sum = 0;
  std::uint32_t i = 0;
  for (; i + 8 <= length; i += 8) {
    const auto bytes = load<std::uint64_t>(address + i);
    sum = (sum + (bytes & kLanes) + ((bytes >> 8) & kLanes)) & kLanes; // a lane never overflows
  }
  std::uint64_t rest = sum + (sum >> 16) + (sum >> 32) + (sum >> 48);
  for (; i < length; ++i)
    rest += load<std::uint8_t>(address + i);
  return (rest & 0xff) == 0;
}

const Header *checked(std::uint64_t address, std::uint32_t at_least) {
  if (address == 0 || address > kReadable - sizeof(Header))
    return nullptr;
  const auto *header = reinterpret_cast<const Header *>(address);
  const std::uint32_t length = header->length;
  if (length < at_least || length < sizeof(Header) || length > kLongest || length > kReadable - address)
    return nullptr;
  return adds_up(address, length) ? header : nullptr;
}

bool is_rsdp(std::uint64_t address) {
  if (address == 0 || address > kReadable - sizeof(Rsdp) ||
      load<std::uint64_t>(address) != Rsdp::kSignature || !adds_up(address, Rsdp::kFirstLength))
    return false;
  const auto rsdp = load<Rsdp>(address);
  return rsdp.revision < 2 || (rsdp.length >= sizeof(Rsdp) && rsdp.length <= kLongest &&
                               rsdp.length <= kReadable - address && adds_up(address, rsdp.length));
}

/// It stands on a 16-byte boundary.
std::uint64_t scan(std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t at = from; at + sizeof(Rsdp) <= to; at += 16)
    if (load<std::uint64_t>(at) == Rsdp::kSignature && is_rsdp(at))
      return at;
  return 0;
}

std::uint64_t scan_bios_areas() {
  // The EBDA's segment, kept at 40:0E by PC firmware; its first KiB is searched.
  const std::uint64_t ebda = std::uint64_t{load<std::uint16_t>(0x40e)} << 4;
  if (ebda >= 0x80000 && ebda <= 0xa0000 - 1024)
    if (const std::uint64_t at = scan(ebda, ebda + 1024); at != 0)
      return at;
  return scan(0xe0000, 0x100000);
}

} // namespace

Root Root::find(std::uint64_t hint) {
  const std::uint64_t address = is_rsdp(hint) ? hint : scan_bios_areas();
  Root root;
  if (address == 0)
    return root;
  const auto rsdp = load<Rsdp>(address);
  if (rsdp.revision >= 2) {
    root.table_ = checked(rsdp.xsdt, sizeof(Header));
    if (root.table_ != nullptr && root.table_->signature == acpi::signature("XSDT")) {
      root.entry_size_ = 8;
      return root;
    }
  }
  root.table_ = checked(rsdp.rsdt, sizeof(Header));
  root.entry_size_ = 4;
  if (root.table_ != nullptr && root.table_->signature != acpi::signature("RSDT"))
    root.table_ = nullptr;
  return root;
}

const Header *Root::table(std::uint32_t signature, std::uint32_t at_least) const {
  if (table_ == nullptr)
    return nullptr;
  const std::uint64_t first = reinterpret_cast<std::uint64_t>(table_) + sizeof(Header);
  const std::uint32_t count = (table_->length - static_cast<std::uint32_t>(sizeof(Header))) / entry_size_;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t at = first + std::uint64_t{i} * entry_size_;
    const std::uint64_t address = entry_size_ == 8 ? load<std::uint64_t>(at) : load<std::uint32_t>(at);
    if (address == 0 || address > kReadable - sizeof(Header) || load<std::uint32_t>(address) != signature)
      continue;
    if (const Header *found = checked(address, at_least); found != nullptr)
      return found;
  }
  return nullptr;
}

} // namespace reveille::guest::acpi
