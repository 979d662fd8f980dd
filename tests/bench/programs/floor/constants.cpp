// What floor.S needs to know of the control page and of the doorbell, exported from C++ as absolute symbols.
#include "core/abi/control_page.hpp"
#include "guest/boot/start_info.hpp"

namespace reveille::bench {
namespace {

#define EXPORT(name, value)                                                                                  \
  asm volatile(".globl " #name "\n\t.set " #name ", %P0" : : "i"(std::uint64_t{value}))

[[gnu::used, gnu::noinline]] void export_constants() {
  constexpr std::size_t kReport = offsetof(abi::ControlPage, report);
  EXPORT(kAsmCommandLine, offsetof(guest::boot::StartInfo, command_line));
  EXPORT(kAsmMaxCpus, offsetof(abi::ControlPage, request) + offsetof(abi::Request, max_cpus));
  EXPORT(kAsmZeroTsc, kReport + offsetof(abi::GuestReport, zero_tsc));
  EXPORT(kAsmDecidedTsc, kReport + offsetof(abi::GuestReport, decided_tsc));
  EXPORT(kAsmFoundCpus, kReport + offsetof(abi::GuestReport, found_cpus));
  EXPORT(kAsmDoorbellPort, abi::kDoorbellPort);
  EXPORT(kAsmDecided, abi::doorbell(abi::Ring::kDecided, abi::Place{}, 0));
}

#undef EXPORT

} // namespace
} // namespace reveille::bench
