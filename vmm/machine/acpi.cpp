#include "vmm/machine/acpi.hpp"

#include "vmm/machine/apic_ids.hpp"
#include "vmm/machine/byte_writer.hpp"

#include <fmt/format.h>

#include <numeric>
#include <string_view>

namespace reveille::vmm {
namespace {

constexpr std::uint32_t kLapicAddress = 0xfee00000;
constexpr std::uint32_t kIoApicAddress = 0xfec00000;
constexpr std::size_t kHeaderSize = 36; // ACPI 6.5, 5.2.6 "System Description Table Header"
constexpr std::size_t kChecksumAt = 9;

// MADT, ACPI 6.5, 5.2.12.
constexpr std::uint32_t kPcatCompat = 1; // a PIC is there too
constexpr std::uint8_t kLocalApic = 0;
constexpr std::uint8_t kIoApic = 1;
constexpr std::uint8_t kLocalX2apic = 9;

// FADT, ACPI 6.5, 5.2.9.
constexpr std::uint16_t kBootNoVga = 1u << 2;
constexpr std::uint16_t kBootNoAspm = 1u << 4;
constexpr std::uint16_t kBootNoRtc = 1u << 5;
constexpr std::uint32_t kWbinvd = 1u << 0;
constexpr std::uint32_t kPowerButtonControl = 1u << 4;
constexpr std::uint32_t kSleepButtonControl = 1u << 5;
constexpr std::uint32_t kHeadless = 1u << 12;
constexpr std::uint32_t kHardwareReduced = 1u << 20;

/// Makes the bytes from `first` to `last` sum up to 0 by the one at `at`.
void fix_checksum(std::vector<std::byte> &bytes, std::size_t last, std::size_t at) {
  bytes[at] = std::byte{0};
  const unsigned sum =
      std::accumulate(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(last), 0u,
                      [](unsigned a, std::byte b) { return a + std::to_integer<unsigned>(b); });
  bytes[at] = static_cast<std::byte>(0x100 - (sum & 0xff));
}

/// A table's header with length and checksum still open, then `body`.
AcpiTable table(std::string_view signature, std::uint8_t revision, const ByteWriter &body) {
  ByteWriter writer;
  writer.text(signature);
  writer.u32(static_cast<std::uint32_t>(kHeaderSize + body.bytes().size()));
  writer.u8(revision);
  writer.u8(0); // checksum
  writer.text("REVEIL");
  writer.text("REVEILLE");
  writer.u32(1);
  writer.text("RVLL");
  writer.u32(1);
  writer.append(body);
  AcpiTable result{std::string(signature), 0, writer.take()};
  fix_checksum(result.bytes, result.bytes.size(), kChecksumAt);
  return result;
}

AcpiTable madt(std::span<const MadtCpu> cpus, bool has_irqchips) {
  ByteWriter body;
  body.u32(kLapicAddress);
  body.u32(has_irqchips ? kPcatCompat : 0);
  for (const MadtCpu &cpu : cpus) {
    const bool is_wide = cpu.apic_id > lapic::kLastXapicId;
    body.u8(is_wide ? kLocalX2apic : kLocalApic);
    body.u8(is_wide ? 16 : 8);
    if (is_wide) {
      body.u16(0);
      body.u32(cpu.apic_id);
      body.u32(cpu.enabled ? 1 : 0);
      body.u32(cpu.uid);
    } else {
      body.u8(static_cast<std::uint8_t>(cpu.uid));
      body.u8(static_cast<std::uint8_t>(cpu.apic_id));
      body.u32(cpu.enabled ? 1 : 0);
    }
  }
  if (has_irqchips) {
    body.u8(kIoApic);
    body.u8(12);
    body.u8(0); // its ID
    body.u8(0);
    body.u32(kIoApicAddress);
    body.u32(0); // its first interrupt
  }
  return table("APIC", 5, body);
}

/// A definition block needs one thing in it: an empty scope, \_SB.
AcpiTable dsdt() {
  ByteWriter body;
  body.u8(0x10); // ScopeOp, ACPI 6.5, 20.2.5.1
  body.u8(0x06); // PkgLength: this byte and the name
  body.text("\\_SB_");
  return table("DSDT", 2, body);
}

AcpiTable fadt(std::uint64_t dsdt_address) {
  ByteWriter body;
  body.u32(0); // FACS: none, hardware-reduced
  body.u32(static_cast<std::uint32_t>(dsdt_address));
  body.zeros_to(109 - kHeaderSize);
  body.u16(kBootNoVga | kBootNoAspm | kBootNoRtc);
  body.u8(0);
  body.u32(kWbinvd | kPowerButtonControl | kSleepButtonControl | kHeadless | kHardwareReduced);
  body.zeros_to(131 - kHeaderSize);
  body.u8(5); // minor version
  body.zeros_to(140 - kHeaderSize);
  body.u64(dsdt_address);
  body.zeros_to(268 - kHeaderSize);
  body.text("REVEILLE");         // hypervisor vendor identity
  return table("FACP", 6, body); // 276 bytes in revision 6
}

AcpiTable xsdt(std::span<const std::uint64_t> addresses) {
  ByteWriter body;
  for (const std::uint64_t address : addresses)
    body.u64(address);
  return table("XSDT", 1, body);
}

/// ACPI 6.5, 5.2.5.3 "Root System Description Pointer (RSDP) Structure".
AcpiTable pointer_to(std::uint64_t xsdt_address) {
  constexpr std::size_t kRevision1Size = 20;
  constexpr std::size_t kExtendedChecksumAt = 32;
  ByteWriter writer;
  writer.text("RSD PTR ");
  writer.u8(0); // checksum of the first 20 bytes
  writer.text("REVEIL");
  writer.u8(2);
  writer.u32(0); // RSDT: none
  writer.u32(36);
  writer.u64(xsdt_address);
  writer.zeros_to(36);
  AcpiTable result{"RSDP", 0, writer.take()};
  fix_checksum(result.bytes, kRevision1Size, 8);
  fix_checksum(result.bytes, result.bytes.size(), kExtendedChecksumAt);
  return result;
}

} // namespace

Result<AcpiTables> AcpiTables::build(std::span<const MadtCpu> cpus, std::uint64_t limit, bool has_irqchips) {
  constexpr std::uint64_t kAlignment = 64;
  AcpiTables acpi;
  std::uint64_t next = kBase + kAlignment; // behind the RSDP
  const auto place = [&](AcpiTable made) {
    made.gpa = next;
    next = (next + made.bytes.size() + kAlignment - 1) / kAlignment * kAlignment;
    acpi.tables_.push_back(std::move(made));
    return acpi.tables_.back().gpa;
  };
  const std::uint64_t dsdt_address = place(dsdt());
  const std::uint64_t addresses[] = {place(fadt(dsdt_address)), place(madt(cpus, has_irqchips))};
  AcpiTable pointer = pointer_to(place(xsdt(addresses)));
  pointer.gpa = kBase;
  acpi.tables_.insert(acpi.tables_.begin(), std::move(pointer));
  if (next > limit)
    return fail(ExitStatus::kUsage,
                fmt::format("the ACPI tables of {} CPUs end at {:#x}, beyond the {:#x} that they "
                            "have room to",
                            cpus.size(), next, limit));
  return acpi;
}

Result<void> AcpiTables::load(const GuestMemory &memory) const {
  for (const AcpiTable &made : tables_)
    if (!memory.write_bytes(made.gpa, made.bytes))
      return fail(ExitStatus::kUsage,
                  fmt::format("ACPI table {} at {:#x} does not fit into the guest's memory", made.signature,
                              made.gpa));
  return {};
}

} // namespace reveille::vmm
