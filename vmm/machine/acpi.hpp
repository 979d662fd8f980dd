// The ACPI tables that tell a guest which CPUs it has.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/machine/guest_memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace reveille::vmm {

/// One processor entry of the MADT. IDs up to 254 make a Local APIC entry, higher ones an
/// x2APIC entry (ACPI 6.5, 5.2.12.2 and 5.2.12.12).
struct MadtCpu {
  std::uint32_t apic_id = 0;
  std::uint32_t uid = 0; ///< ACPI processor UID
  bool enabled = true;
};

/// A table's bytes, complete with length and checksum, and where they go.
struct AcpiTable {
  std::string signature; ///< "FACP"; "RSDP" for the pointer that starts it all
  std::uint64_t gpa;
  std::vector<std::byte> bytes;
};

/// RSDP, XSDT, FADT, DSDT and MADT: a hardware-reduced machine without fixed hardware, PM
/// timer or firmware. The RSDP comes first, on a 16-byte boundary in the BIOS area, where
/// guests also find it by its signature.
class AcpiTables {
public:
  static constexpr std::uint64_t kBase = 0xe0000; ///< of the RSDP

  /// Lays the tables out one behind the other from kBase. Fails with kUsage when they do not
  /// fit below `limit`. The MADT lists a PIC and an I/O APIC if they are there (`has_irqchips`).
  [[nodiscard]] static Result<AcpiTables> build(std::span<const MadtCpu> cpus, std::uint64_t limit,
                                                bool has_irqchips = true);

  [[nodiscard]] std::uint64_t rsdp() const { return kBase; } ///< guest-physical
  [[nodiscard]] const std::vector<AcpiTable> &tables() const { return tables_; }

  /// Copies them to where they go. Fails with kUsage when that is not RAM.
  [[nodiscard]] Result<void> load(const GuestMemory &memory) const;

private:
  std::vector<AcpiTable> tables_;
};

} // namespace reveille::vmm
