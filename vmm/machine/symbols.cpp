#include "vmm/machine/symbols.hpp"

#include "vmm/machine/elf_handle.hpp"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fmt/format.h>
#include <gelf.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

namespace reveille::vmm {
namespace {

struct DwarfCloser {
  void operator()(Dwarf *dwarf) const { dwarf_end(dwarf); }
};
using DwarfHandle = std::unique_ptr<Dwarf, DwarfCloser>;

struct Symbol {
  std::uint64_t address;
  std::uint64_t size;
  std::string linkage_name;
};

void append_symbols(Elf *elf, Elf_Scn *section, std::vector<Symbol> &symbols) {
  GElf_Shdr header;
  if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB || header.sh_entsize == 0)
    return;
  Elf_Data *data = elf_getdata(section, nullptr);
  if (data == nullptr)
    return;
  const auto count = static_cast<int>(std::min<std::uint64_t>(data->d_size / header.sh_entsize, 1u << 24));
  for (int i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, i, &symbol) == nullptr)
      break;
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ||
        (type != STT_FUNC && type != STT_NOTYPE))
      continue;
    const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name != nullptr && *name != '\0')
      symbols.push_back({symbol.st_value, symbol.st_size, name});
  }
}

std::vector<Symbol> read_symbols(Elf *elf) {
  std::vector<Symbol> symbols;
  for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;)
    append_symbols(elf, section, symbols);
  // Of two at one address the one with a size comes last, and is found first.
  std::sort(symbols.begin(), symbols.end(), [](const Symbol &a, const Symbol &b) {
    return a.address != b.address ? a.address < b.address : a.size < b.size;
  });
  return symbols;
}

/// A source path from DWARF, relative to this project's tree when it lies in it.
std::string relative_path(const char *path) {
  const auto normal = std::filesystem::path(path).lexically_normal().string();
  const std::string root = std::string(REVEILLE_SOURCE_DIR) + "/";
  return normal.starts_with(root) ? normal.substr(root.size()) : normal;
}

/// The unit of code that holds `address`. Asks the units themselves: the address table may
/// be missing.
bool find_unit(Dwarf *dwarf, std::uint64_t address, Dwarf_Die &unit) {
  if (dwarf_addrdie(dwarf, address, &unit) != nullptr)
    return true;
  Dwarf_CU *cu = nullptr;
  while (dwarf_get_units(dwarf, cu, &cu, nullptr, nullptr, &unit, nullptr) == 0)
    if (dwarf_haspc(&unit, address) == 1)
      return true;
  return false;
}

/// "core/ap.hpp:88", or nothing.
std::string source_line(Dwarf *dwarf, std::uint64_t address) {
  Dwarf_Die unit;
  if (dwarf == nullptr || !find_unit(dwarf, address, unit))
    return {};
  Dwarf_Line *line = dwarf_getsrc_die(&unit, address);
  const char *path = line != nullptr ? dwarf_linesrc(line, nullptr, nullptr) : nullptr;
  int number = 0;
  if (path == nullptr || dwarf_lineno(line, &number) != 0 || number == 0)
    return {};
  return fmt::format("{}:{}", relative_path(path), number);
}

/// Drops what stands between matching `<` and `>`, and all from the first parameter list on.
/// Names with operator in them are left alone: their brackets mean something else.
std::string without_arguments(const std::string &name) {
  if (name.find("operator") != std::string::npos)
    return name;
  constexpr std::string_view kAnonymous = "(anonymous namespace)";
  std::string kept;
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.compare(i, kAnonymous.size(), kAnonymous) == 0) {
      i += kAnonymous.size() + 1; // and the :: behind it
      continue;
    }
    if (name[i] == '(' && depth == 0)
      break;
    depth += name[i] == '<' ? 1 : 0;
    if (depth == 0)
      kept += name[i];
    depth -= name[i] == '>' && depth > 0 ? 1 : 0;
  }
  // A template's name comes with its return type.
  const auto space = kept.find_last_of(' ');
  return space == std::string::npos ? kept : kept.substr(space + 1);
}

} // namespace

std::string readable_name(const std::string &linkage_name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(linkage_name.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || demangled == nullptr)
    return linkage_name;
  std::string name = without_arguments(demangled.get());
  constexpr std::string_view kOwn = "reveille::";
  return name.starts_with(kOwn) ? name.substr(kOwn.size()) : name;
}

struct Symbolizer::Tables {
  std::vector<std::byte> file;
  bool is_read = false; // what follows; most runs never ask
  ElfHandle elf;        // looks into file
  std::vector<Symbol> symbols;
  DwarfHandle dwarf; // looks into elf
  std::mutex mutex;  // of all: libdw builds its tables while it answers, too

  void read() {
    if (std::exchange(is_read, true))
      return;
    elf = open_elf(file);
    if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF)
      return;
    symbols = read_symbols(elf.get());
    dwarf.reset(dwarf_begin_elf(elf.get(), DWARF_C_READ, nullptr));
  }

  [[nodiscard]] const Symbol *nearest(std::uint64_t address) const {
    auto after = std::upper_bound(symbols.begin(), symbols.end(), address,
                                  [](std::uint64_t a, const Symbol &s) { return a < s.address; });
    if (after == symbols.begin())
      return nullptr;
    const Symbol &symbol = *(after - 1);
    // A label of assembly has no size and reaches to the next one, within reason.
    const std::uint64_t reach = symbol.size != 0 ? symbol.size : 4096;
    return address - symbol.address < reach ? &symbol : nullptr;
  }
};

Symbolizer::Symbolizer(std::span<const std::byte> file) : tables_(std::make_unique<Tables>()) {
  tables_->file.assign(file.begin(), file.end());
}

Symbolizer::~Symbolizer() = default;
Symbolizer::Symbolizer(Symbolizer &&) noexcept = default;
Symbolizer &Symbolizer::operator=(Symbolizer &&) noexcept = default;

std::string Symbolizer::describe(std::uint64_t address) const {
  const std::lock_guard lock(tables_->mutex);
  tables_->read();
  const Symbol *symbol = tables_->nearest(address);
  if (symbol == nullptr)
    return fmt::format("{:#x}", address);
  std::string text = readable_name(symbol->linkage_name);
  if (address != symbol->address)
    text += fmt::format("+{:#x}", address - symbol->address);
  if (const std::string line = source_line(tables_->dwarf.get(), address); !line.empty())
    text += fmt::format(" ({})", line);
  return text;
}

std::optional<std::uint64_t> Symbolizer::find(std::string_view symbol) const {
  const std::lock_guard lock(tables_->mutex);
  tables_->read();
  for (const Symbol &candidate : tables_->symbols)
    if (candidate.linkage_name == symbol)
      return candidate.address;
  std::optional<std::uint64_t> found;
  for (const Symbol &candidate : tables_->symbols) {
    if (readable_name(candidate.linkage_name) != symbol)
      continue;
    if (found && *found != candidate.address)
      return std::nullopt; // several: the caller must say which by its linkage name
    found = candidate.address;
  }
  return found;
}

} // namespace reveille::vmm
