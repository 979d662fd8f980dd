#include "guest/smp/trampoline.hpp"

#include <cstring>

extern "C" const char trampoline_start[];
extern "C" const char trampoline_end[];

namespace reveille::guest::smp {

constinit std::uint32_t trampolines = 0;

namespace {

/// A SIPI reaches pages below 1 MiB; above 640 KiB a PC has other things.
constexpr boot::Range kUsual{0x10000, 0xa0000};
constexpr boot::Range kAny{0x1000, 0xa0000};

/// FF FF is an undefined opcode in 16-, 32- and 64-bit mode alike (group 5, /7), at any
/// alignment. The customary INT3 is not used, because a KVM that interprets supervisor code
/// may not know it, nor HLT, which would hide that something went astray.
constexpr int kTrap = 0xff;

} // namespace

bool place_trampolines(boot::MemoryMap &memory) {
  constexpr std::uint64_t kSize = std::uint64_t{abi::kPages} * boot::kPageSize;
  std::uint64_t at = memory.allocate(kSize, boot::kPageSize, kUsual);
  if (at == 0)
    at = memory.allocate(kSize, boot::kPageSize, kAny);
  if (at == 0)
    return false;
  trampolines = static_cast<std::uint32_t>(at);
  const auto size = static_cast<std::size_t>(trampoline_end - trampoline_start);
  for (unsigned i = 0; i < abi::kPages; ++i) {
    auto *page = reinterpret_cast<char *>(at + std::uint64_t{i} * boot::kPageSize);
    std::memcpy(page, trampoline_start, size);
    std::memset(page + size, kTrap, boot::kPageSize - size);
  }
  return true;
}

} // namespace reveille::guest::smp
