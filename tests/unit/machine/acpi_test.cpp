#include "vmm/machine/acpi.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <stdexcept>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kLimit = 0xf0000;

AcpiTables tables_for(std::uint32_t cpus) {
  std::vector<MadtCpu> list;
  for (std::uint32_t i = 0; i < cpus; ++i)
    list.push_back({i, i, true});
  return AcpiTables::build(list, kLimit).value();
}

const AcpiTable &table(const AcpiTables &acpi, const std::string &signature) {
  for (const AcpiTable &t : acpi.tables())
    if (t.signature == signature)
      return t;
  throw std::out_of_range(signature);
}

unsigned sum(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0u,
                         [](unsigned a, std::byte b) { return (a + std::to_integer<unsigned>(b)) & 0xff; });
}

std::uint64_t number(const AcpiTable &t, std::size_t at, unsigned size) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < size; ++i)
    value |= std::to_integer<std::uint64_t>(t.bytes.at(at + i)) << (8 * i);
  return value;
}

TEST(Acpi, ChecksumsAndLengthsAreRight) {
  const AcpiTables acpi = tables_for(300);
  for (const AcpiTable &t : acpi.tables()) {
    EXPECT_EQ(sum(t.bytes), 0u) << t.signature;
    EXPECT_EQ(number(t, t.signature == "RSDP" ? 20 : 4, 4), t.bytes.size()) << t.signature;
  }
  EXPECT_EQ(sum(std::span(table(acpi, "RSDP").bytes).first(20)), 0u);
  EXPECT_EQ(table(acpi, "FACP").bytes.size(), 276u);
}

TEST(Acpi, PointersLeadFromTheRsdpToTheMadt) {
  const AcpiTables acpi = tables_for(8);
  EXPECT_EQ(table(acpi, "RSDP").gpa, acpi.rsdp());
  EXPECT_EQ(acpi.rsdp() % 16, 0u);
  const AcpiTable &xsdt = table(acpi, "XSDT");
  EXPECT_EQ(number(table(acpi, "RSDP"), 24, 8), xsdt.gpa);
  EXPECT_EQ(number(xsdt, 36, 8), table(acpi, "FACP").gpa);
  EXPECT_EQ(number(xsdt, 44, 8), table(acpi, "APIC").gpa);
  EXPECT_EQ(number(table(acpi, "FACP"), 40, 4), table(acpi, "DSDT").gpa);
  EXPECT_EQ(number(table(acpi, "FACP"), 140, 8), table(acpi, "DSDT").gpa);
}

TEST(Acpi, TablesDoNotOverlap) {
  const AcpiTables acpi = tables_for(1024);
  std::uint64_t end = 0;
  for (const AcpiTable &t : acpi.tables()) {
    EXPECT_GE(t.gpa, end) << t.signature;
    end = t.gpa + t.bytes.size();
  }
  EXPECT_LE(end, kLimit);
}

/// APIC IDs of the MADT's processor entries, by entry type.
std::map<unsigned, std::vector<std::uint64_t>> madt_ids(const AcpiTable &madt) {
  std::map<unsigned, std::vector<std::uint64_t>> ids;
  for (std::size_t at = 44; at < madt.bytes.size(); at += number(madt, at + 1, 1)) {
    const auto type = static_cast<unsigned>(number(madt, at, 1));
    if (type == 0)
      ids[type].push_back(number(madt, at + 3, 1));
    else if (type == 9)
      ids[type].push_back(number(madt, at + 4, 4));
  }
  return ids;
}

TEST(Acpi, IdsFrom255OnHaveX2apicEntries) {
  const auto ids = madt_ids(table(tables_for(1024), "APIC"));
  ASSERT_EQ(ids.at(0).size(), 255u);
  ASSERT_EQ(ids.at(9).size(), 769u);
  EXPECT_EQ(ids.at(0).back(), 254u);
  EXPECT_EQ(ids.at(9).front(), 255u);
  EXPECT_EQ(ids.at(9).back(), 1023u);
}

TEST(Acpi, ADisabledCpuIsListedAsSuch) {
  const MadtCpu cpus[] = {{0, 0, true}, {1, 1, false}, {400, 2, false}};
  const AcpiTables acpi = AcpiTables::build(cpus, kLimit).value();
  const AcpiTable &madt = table(acpi, "APIC");
  EXPECT_EQ(number(madt, 44 + 4, 4), 1u);
  EXPECT_EQ(number(madt, 52 + 4, 4), 0u);
  EXPECT_EQ(number(madt, 60 + 8, 4), 0u);
}

TEST(Acpi, AMachineWithoutIrqchipsListsNone) {
  const MadtCpu cpus[] = {{0, 0, true}};
  for (const bool has_irqchips : {true, false}) {
    const AcpiTables acpi = AcpiTables::build(cpus, kLimit, has_irqchips).value();
    const AcpiTable &madt = table(acpi, "APIC");
    EXPECT_EQ(number(madt, 40, 4), has_irqchips ? 1u : 0u); // PCAT_COMPAT
    EXPECT_EQ(madt.bytes.size(), 52u + (has_irqchips ? 12u : 0u));
  }
}

TEST(Acpi, FailsWhenThereIsNoRoom) {
  const std::vector<MadtCpu> cpus(8);
  EXPECT_FALSE(AcpiTables::build(cpus, AcpiTables::kBase + 128));
  const auto memory = GuestMemory::create(16);
  EXPECT_TRUE(tables_for(8).load(*memory));
  EXPECT_EQ(memory->read<std::uint64_t>(AcpiTables::kBase), 0x2052545020445352u); // "RSD PTR "
}

std::string output_of(const std::string &command) {
  std::string text;
  FILE *pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr)
    return "popen failed";
  std::array<char, 4096> block = {};
  for (std::size_t got; (got = std::fread(block.data(), 1, block.size(), pipe)) > 0;)
    text.append(block.data(), got);
  ::pclose(pipe);
  return text;
}

/// What iasl says when it disassembles the table, in lower case.
std::string disassemble(const AcpiTable &t, const std::filesystem::path &folder) {
  const auto path = folder / (t.signature + ".aml");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(t.bytes.data()), static_cast<std::streamsize>(t.bytes.size()));
  std::string text = output_of("cd '" + folder.string() + "' && iasl -d " + t.signature + ".aml 2>&1");
  const auto listing = folder / (t.signature + ".dsl");
  EXPECT_TRUE(std::filesystem::exists(listing)) << text;
  std::ifstream file(listing);
  text.append(std::istreambuf_iterator<char>(file), {});
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool complains(const std::string &text) {
  for (const char *word : {"warning", "error", "invalid", "incorrect", "unknown", "past end", "should be"})
    if (text.find(word) != std::string::npos)
      return true;
  return false;
}

TEST(Acpi, IaslDisassemblesEachTableWithoutAComplaint) {
  if (std::system("command -v iasl >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "iasl (acpica-tools) is not installed";
  auto pattern = (std::filesystem::temp_directory_path() / "acpi-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  for (const std::uint32_t cpus : {1u, 300u}) {
    const AcpiTables acpi = tables_for(cpus);
    for (const AcpiTable &t : acpi.tables()) {
      if (t.signature == "RSDP") // no table: iasl takes none without a table's header
        continue;
      const std::string text = disassemble(t, pattern);
      EXPECT_FALSE(complains(text)) << t.signature << ":\n" << text;
    }
  }
  AcpiTable broken = table(tables_for(1), "APIC");
  broken.bytes[9] ^= std::byte{1}; // the test can see a complaint when there is one
  EXPECT_TRUE(complains(disassemble(broken, pattern)));
  std::filesystem::remove_all(pattern);
}

} // namespace
} // namespace reveille::vmm
