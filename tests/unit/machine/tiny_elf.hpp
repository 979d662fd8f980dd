// Guests made by hand: the smallest ELF files that a PVH loader accepts, from which tests take
// things away.
#pragma once

#include "vmm/machine/byte_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm::test {

/// What an ELF file is made of. The defaults load.
struct TinyElf {
  static constexpr std::uint64_t kLoadAddress = 0x100000;
  static constexpr std::size_t kHeaderSize = 64;
  static constexpr std::size_t kProgramHeaderSize = 56;

  std::string code = "\xf4"; ///< at kLoadAddress, which is also the entry
  std::uint64_t entry = kLoadAddress;
  std::uint32_t entry_size = 4; ///< bytes of the note's value, 4 or 8
  std::uint64_t address = kLoadAddress;
  std::uint64_t memory_size = 0; ///< 0: as much as the code
  std::uint64_t file_size = 0;   ///< of the segment, as its header says; 0: as much as the code
  std::uint64_t offset = 0;      ///< of the segment in the file, as its header says; 0: the truth
  bool has_note = true;
  std::uint16_t machine = 62; ///< EM_X86_64
  std::uint8_t elf_class = 2;
  std::uint16_t type = 2; ///< ET_EXEC

  [[nodiscard]] std::vector<std::byte> bytes() const {
    const std::uint16_t headers = has_note ? 2 : 1;
    const std::uint64_t note_at = kHeaderSize + std::uint64_t{headers} * kProgramHeaderSize;
    const std::uint64_t note_size = has_note ? 16 + entry_size : 0;
    const std::uint64_t code_at = note_at + note_size;
    ByteWriter w;
    write_header(w, headers);
    const std::uint64_t held = file_size != 0 ? file_size : code.size();
    write_segment(w, 1, 5, offset != 0 ? offset : code_at, address, held,
                  memory_size != 0 ? memory_size : code.size());
    if (has_note) {
      write_segment(w, 4, 4, note_at, 0, note_size, note_size);
      write_note(w);
    }
    w.text(code);
    return w.take();
  }

private:
  void write_header(ByteWriter &w, std::uint16_t headers) const {
    w.text("\x7f"
           "ELF");
    w.u8(elf_class);
    w.u8(1); // little-endian
    w.u8(1); // version
    w.zeros_to(16);
    w.u16(type);
    w.u16(machine);
    w.u32(1);
    w.u64(entry);
    w.u64(kHeaderSize); // program headers
    w.u64(0);           // no sections
    w.u32(0);
    w.u16(kHeaderSize);
    w.u16(kProgramHeaderSize);
    w.u16(headers);
    w.u16(64);
    w.u16(0);
    w.u16(0);
  }

  static void write_segment(ByteWriter &w, std::uint32_t type, std::uint32_t flags, std::uint64_t offset,
                            std::uint64_t address, std::uint64_t held, std::uint64_t size) {
    w.u32(type);
    w.u32(flags);
    w.u64(offset);
    w.u64(address);
    w.u64(address);
    w.u64(held);
    w.u64(size);
    w.u64(4);
  }

  void write_note(ByteWriter &w) const {
    w.u32(4);
    w.u32(entry_size);
    w.u32(18);
    w.text(std::string_view("Xen\0", 4));
    if (entry_size == 8)
      w.u64(entry);
    else
      w.u32(static_cast<std::uint32_t>(entry));
  }
};

} // namespace reveille::vmm::test
