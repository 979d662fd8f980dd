// Finding the ACPI tables. Nothing that they say is trusted before it has been checked.
#pragma once

#include "guest/acpi/tables.hpp"

#include <cstdint>

namespace reveille::guest::acpi {

/// The tables behind one root.
class Root {
public:
  /// Looks at `hint` first (the boot protocol's rsdp_paddr, 0: none), then through the BIOS
  /// areas as 5.2.5.1 "Finding the RSDP on IA-PC Systems" has it.
  [[nodiscard]] static Root find(std::uint64_t hint);

  [[nodiscard]] bool is_found() const { return table_ != nullptr; }

  /// The first table with that signature, its checksum and that minimum length checked;
  /// null when there is none.
  [[nodiscard]] const Header *table(std::uint32_t signature, std::uint32_t at_least) const;

private:
  const Header *table_ = nullptr; ///< XSDT or RSDT
  std::uint32_t entry_size_ = 0;  ///< 8 or 4
};

} // namespace reveille::guest::acpi
