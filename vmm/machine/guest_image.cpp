#include "vmm/machine/guest_image.hpp"

#include "vmm/machine/elf_handle.hpp"
#include "vmm/machine/read_image.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace reveille::vmm {
namespace {

constexpr std::uint32_t kXenPhys32Entry = 18; // XEN_ELFNOTE_PHYS32_ENTRY, Xen's public/elfnote.h
constexpr std::string_view kXenNote("Xen\0", 4);

/// Whether `count` items of `size` bytes from `offset` on all lie within the file.
bool fits(std::uint64_t offset, std::uint64_t count, std::uint64_t size, std::uint64_t file_size) {
  return offset <= file_size && (size == 0 || count <= (file_size - offset) / size);
}

/// What is wrong with the ELF header, or nothing.
std::optional<std::string> header_fault(std::span<const std::byte> file) {
  if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
    return "not an ELF file";
  if (file.size() < sizeof(Elf64_Ehdr))
    return "cut short: it ends within the ELF header";
  Elf64_Ehdr header;
  std::memcpy(&header, file.data(), sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return "not a 64-bit little-endian ELF file";
  if (header.e_machine != EM_X86_64)
    return fmt::format("for machine {}, not for x86-64", header.e_machine);
  if (header.e_type != ET_EXEC)
    return "not an executable at a fixed address (ET_EXEC)";
  if (header.e_phnum == 0 || header.e_phnum == PN_XNUM || header.e_phentsize != sizeof(Elf64_Phdr))
    return "no usable program headers";
  if (!fits(header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr), file.size()))
    return "cut short: its program headers lie beyond its end";
  if (!fits(header.e_shoff, header.e_shnum, header.e_shentsize, file.size()))
    return "cut short: its section headers lie beyond its end";
  return std::nullopt;
}

/// The PVH entry in one PT_NOTE segment, if it is there: 4 or 8 bytes, little-endian.
std::optional<std::uint64_t> entry_in_notes(Elf *elf, const GElf_Phdr &segment) {
  const Elf_Type type = segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
  Elf_Data *data =
      elf_getdata_rawchunk(elf, static_cast<std::int64_t>(segment.p_offset), segment.p_filesz, type);
  if (data == nullptr)
    return std::nullopt;
  GElf_Nhdr note;
  std::size_t name_at = 0;
  std::size_t value_at = 0;
  for (std::size_t at = 0; (at = gelf_getnote(data, at, &note, &name_at, &value_at)) > 0;) {
    const auto *base = static_cast<const char *>(data->d_buf);
    if (note.n_type != kXenPhys32Entry || std::string_view(base + name_at, note.n_namesz) != kXenNote ||
        (note.n_descsz != 4 && note.n_descsz != 8))
      continue;
    std::uint64_t entry = 0;
    std::memcpy(&entry, base + value_at, note.n_descsz);
    return entry;
  }
  return std::nullopt;
}

/// What is wrong with a PT_LOAD or PT_NOTE segment by itself, or nothing. A note takes no memory.
std::optional<std::string> segment_fault(const GElf_Phdr &header, std::size_t index,
                                         std::uint64_t file_size) {
  if (header.p_type == PT_LOAD && header.p_filesz > header.p_memsz)
    return fmt::format("segment {} holds more bytes in the file than in memory", index);
  if (!fits(header.p_offset, header.p_filesz, 1, file_size))
    return fmt::format("cut short: segment {} lies beyond the end of the file", index);
  if (header.p_type == PT_LOAD && !GuestRange::sized(header.p_paddr, header.p_memsz))
    return fmt::format("segment {} at {:#x}: its size, {:#x}, is beyond all addresses", index, header.p_paddr,
                       header.p_memsz);
  return std::nullopt;
}

/// What the program headers say, before the parts are compared with each other.
struct Contents {
  std::vector<GuestImage::Segment> segments;
  std::optional<std::uint64_t> entry;
};

Result<Contents> read_contents(Elf *elf, std::uint64_t file_size) {
  Contents contents;
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0)
    return fail(ExitStatus::kUsage, "no usable program headers");
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr)
      return fail(ExitStatus::kUsage, fmt::format("program header {} cannot be read", i));
    if (header.p_type != PT_LOAD && header.p_type != PT_NOTE)
      continue;
    if (const auto fault = segment_fault(header, i, file_size))
      return fail(ExitStatus::kUsage, *fault);
    if (header.p_type == PT_NOTE && !contents.entry)
      contents.entry = entry_in_notes(elf, header);
    if (header.p_type == PT_LOAD && header.p_memsz != 0)
      contents.segments.push_back(
          {*GuestRange::sized(header.p_paddr, header.p_memsz), header.p_offset, header.p_filesz});
  }
  return contents;
}

/// What is wrong with the parts together, or nothing. Sorts the segments.
std::optional<std::string> contents_fault(Contents &contents) {
  auto &segments = contents.segments;
  std::sort(segments.begin(), segments.end(),
            [](const auto &a, const auto &b) { return a.range.begin < b.range.begin; });
  for (std::size_t i = 1; i < segments.size(); ++i)
    if (segments[i - 1].range.overlaps(segments[i].range))
      return fmt::format("two segments overlap at {:#x}", segments[i].range.begin);
  if (!contents.entry)
    return "no PVH entry: it has no note of type 18 by Xen (XEN_ELFNOTE_PHYS32_ENTRY)";
  if (*contents.entry > UINT32_MAX)
    return fmt::format("its PVH entry {:#x} is above 4 GiB", *contents.entry);
  const GuestRange first_byte{*contents.entry, *contents.entry + 1};
  if (std::none_of(segments.begin(), segments.end(),
                   [&](const auto &segment) { return segment.range.contains(first_byte); }))
    return fmt::format("its PVH entry {:#x} is outside every segment", *contents.entry);
  return std::nullopt;
}

} // namespace

Result<GuestImage> GuestImage::open(const std::string &path) {
  auto file = read_image(path);
  if (!file)
    return tl::unexpected(file.error());
  return parse(path, std::move(*file));
}

Result<GuestImage> GuestImage::parse(std::string name, std::vector<std::byte> file) {
  const auto refuse = [&name](const std::string &why) {
    return fail(ExitStatus::kUsage, fmt::format("{}: not a guest that can be loaded: {}", name, why));
  };
  if (const auto fault = header_fault(file))
    return refuse(*fault);
  const ElfHandle elf = open_elf(file);
  if (elf == nullptr)
    return refuse(elf_errmsg(-1));
  auto contents = read_contents(elf.get(), file.size());
  if (!contents)
    return refuse(contents.error().message);
  if (const auto fault = contents_fault(*contents))
    return refuse(*fault);
  GuestImage image(std::move(name), std::move(file));
  image.segments_ = std::move(contents->segments);
  image.entry_ = static_cast<std::uint32_t>(*contents->entry);
  return image;
}

Result<void> GuestImage::load(const GuestMemory &memory, std::span<const GuestRange> reserved) const {
  for (const Segment &segment : segments_) {
    const auto to = memory.bytes(segment.range.begin, segment.range.size());
    if (!to)
      return fail(
          ExitStatus::kUsage,
          fmt::format("{}: its segment {:#x}-{:#x} is outside the guest's memory, which ends at {:#x}; set "
                      "a larger memory_mib",
                      name_, segment.range.begin, segment.range.end, memory.low_end()));
    for (const GuestRange &range : reserved)
      if (segment.range.overlaps(range))
        return fail(
            ExitStatus::kUsage,
            fmt::format("{}: its segment {:#x}-{:#x} overlaps {:#x}-{:#x}, which the machine needs for "
                        "itself; a larger memory_mib may help",
                        name_, segment.range.begin, segment.range.end, range.begin, range.end));
    const auto from = std::span(file_).subspan(segment.from, segment.held);
    const auto rest = std::copy(from.begin(), from.end(), to->begin());
    std::fill(rest, to->end(), std::byte{0});
  }
  return {};
}

} // namespace reveille::vmm
