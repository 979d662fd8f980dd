// The owner of a libelf handle on bytes in memory.
#pragma once

#include <libelf.h>

#include <cstddef>
#include <memory>
#include <span>

namespace reveille::vmm {

struct ElfCloser {
  void operator()(Elf *elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

/// Opens `file`, which must stay where it is for as long as the handle lives. Null when
/// libelf makes nothing of it. libelf only reads, although its type does not say so.
[[nodiscard]] inline ElfHandle open_elf(std::span<const std::byte> file) {
  elf_version(EV_CURRENT);
  auto *bytes = reinterpret_cast<char *>(const_cast<std::byte *>(file.data()));
  return ElfHandle(file.empty() ? nullptr : elf_memory(bytes, file.size()));
}

} // namespace reveille::vmm
