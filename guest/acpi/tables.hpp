// ACPI tables as they stand in memory (ACPI specification 6.4, chapter 5).
#pragma once

#include <cstddef>
#include <cstdint>

namespace reveille::guest::acpi {

/// Four characters as the little-endian number that they make in memory.
[[nodiscard]] consteval std::uint32_t signature(const char (&text)[5]) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) << (8 * i);
  return value;
}

/// 5.2.5.3 "Root System Description Pointer (RSDP) Structure".
struct [[gnu::packed]] Rsdp {
  static constexpr std::uint64_t kSignature = 0x2052'5450'2044'5352; // "RSD PTR "
  static constexpr std::uint32_t kFirstLength = 20;                  // of revision 0

  std::uint64_t signature;
  std::uint8_t checksum;
  std::uint8_t oem_id[6];
  std::uint8_t revision;
  std::uint32_t rsdt;
  std::uint32_t length;
  std::uint64_t xsdt;
  std::uint8_t extended_checksum;
  std::uint8_t reserved[3];
};
static_assert(sizeof(Rsdp) == 36 && offsetof(Rsdp, xsdt) == 24);

/// 5.2.6 "System Description Table Header".
struct [[gnu::packed]] Header {
  std::uint32_t signature;
  std::uint32_t length;
  std::uint8_t revision;
  std::uint8_t checksum;
  std::uint8_t oem_id[6];
  std::uint8_t oem_table_id[8];
  std::uint32_t oem_revision;
  std::uint32_t creator_id;
  std::uint32_t creator_revision;
};
static_assert(sizeof(Header) == 36);

/// 5.2.12 "Multiple APIC Description Table (MADT)". Entries follow.
struct [[gnu::packed]] Madt {
  static constexpr std::uint32_t kSignature = signature("APIC");

  Header header;
  std::uint32_t local_apic;
  std::uint32_t flags;
};
static_assert(sizeof(Madt) == 44);

struct [[gnu::packed]] MadtEntry {
  std::uint8_t type;
  std::uint8_t length;
};

/// Bit 0 of an entry's flags. Bit 1, online capable, promises a CPU that may be plugged in
/// later; it is not there yet.
inline constexpr std::uint32_t kEnabled = 1;

/// 5.2.12.2 "Processor Local APIC Structure".
struct [[gnu::packed]] MadtLocalApic {
  static constexpr std::uint8_t kType = 0;

  MadtEntry entry;
  std::uint8_t processor_uid;
  std::uint8_t apic_id;
  std::uint32_t flags;
};
static_assert(sizeof(MadtLocalApic) == 8);

/// 5.2.12.12 "Processor Local x2APIC Structure".
struct [[gnu::packed]] MadtLocalX2Apic {
  static constexpr std::uint8_t kType = 9;

  MadtEntry entry;
  std::uint16_t reserved;
  std::uint32_t apic_id;
  std::uint32_t flags;
  std::uint32_t processor_uid;
};
static_assert(sizeof(MadtLocalX2Apic) == 16);

/// 5.2.9 "Fixed ACPI Description Table (FADT)", as far as it is used.
struct [[gnu::packed]] Fadt {
  static constexpr std::uint32_t kSignature = signature("FACP");
  static constexpr std::uint32_t kTimerIs32Bit = 1u << 8;     // TMR_VAL_EXT
  static constexpr std::uint32_t kHardwareReduced = 1u << 20; // HW_REDUCED_ACPI: no PM timer

  Header header;
  std::uint8_t skipped0[40];
  std::uint32_t pm_timer_block; ///< PM_TMR_BLK, an I/O port
  std::uint8_t skipped1[11];
  std::uint8_t pm_timer_length; ///< PM_TMR_LEN, 4 or 0
  std::uint8_t skipped2[20];
  std::uint32_t flags;
};
static_assert(offsetof(Fadt, pm_timer_block) == 76 && offsetof(Fadt, pm_timer_length) == 91);
static_assert(offsetof(Fadt, flags) == 112);

} // namespace reveille::guest::acpi
