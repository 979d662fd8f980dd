// The CPUs that the firmware lists.
#pragma once

#include "guest/acpi/find.hpp"

#include <cstdint>

namespace reveille::guest::acpi {

/// Calls visit(apic_id, is_x2apic) for each enabled CPU in the MADT, in its order. False
/// when there is no MADT. An entry that is malformed ends the list.
template <class Visit> [[nodiscard]] bool for_each_cpu(const Root &root, Visit visit) {
  const Header *header = root.table(Madt::kSignature, sizeof(Madt));
  if (header == nullptr)
    return false;
  auto at = reinterpret_cast<std::uint64_t>(header) + sizeof(Madt);
  const std::uint64_t end = reinterpret_cast<std::uint64_t>(header) + header->length;
  while (at + sizeof(MadtEntry) <= end) {
    const auto *entry = reinterpret_cast<const MadtEntry *>(at);
    if (entry->length < sizeof(MadtEntry) || entry->length > end - at)
      break;
    if (entry->type == MadtLocalApic::kType && entry->length >= sizeof(MadtLocalApic)) {
      const auto *cpu = reinterpret_cast<const MadtLocalApic *>(at);
      if ((cpu->flags & kEnabled) != 0)
        visit(std::uint32_t{cpu->apic_id}, false);
    } else if (entry->type == MadtLocalX2Apic::kType && entry->length >= sizeof(MadtLocalX2Apic)) {
      const auto *cpu = reinterpret_cast<const MadtLocalX2Apic *>(at);
      if ((cpu->flags & kEnabled) != 0)
        visit(std::uint32_t{cpu->apic_id}, true);
    }
    at += entry->length;
  }
  return true;
}

} // namespace reveille::guest::acpi
