// Instructions of ring 0, by running each. vmcall and vmmcall are not among them: a KVM that interprets
// ring 0 was seen to try one of those for ever, out of reach of a kick.
#include "vmm/probe/probes.hpp"
#include "vmm/probe/tiny_guest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>

namespace reveille::vmm {
namespace {

using namespace std::string_view_literals;

struct Instruction {
  std::string_view name;
  std::string_view bytes; ///< with RDI at free memory, EDX:EAX 0:3
  std::uint8_t leads_to;  ///< the vector that it raises itself; kDone: none
};

constexpr std::uint8_t kDone = 0xff;
constexpr std::uint8_t kInvalidOpcode = 6; // #UD: this CPU, or its CPUID, does not have it

constexpr std::array kInstructions = {
    Instruction{"rdtsc", "\x0f\x31"sv, kDone}, // every KVM does this one
    Instruction{"rdtscp", "\x0f\x01\xf9"sv, kDone},
    Instruction{"popcnt", "\xf3\x0f\xb8\xc0"sv, kDone},     // popcnt eax, eax
    Instruction{"int3", "\xcc"sv, 3},                       // #BP
    Instruction{"cmpxchg16b", "\x48\x0f\xc7\x0f"sv, kDone}, // cmpxchg16b [rdi]
    Instruction{"xsave", "\x0f\xae\x27"sv, kDone},          // xsave [rdi]
};
constexpr std::size_t kXsave = 5;

constexpr std::uint16_t kPort = 0x80;
constexpr std::uint32_t kEmulation = 1; // KVM_INTERNAL_ERROR_EMULATION

// Where things are, besides TinyGuest's own.
constexpr std::uint64_t kPml4 = 0x3000;
constexpr std::uint64_t kPdpt = 0x4000;
constexpr std::uint64_t kDirectory = 0x5000;
constexpr std::uint64_t kIdt = 0x6000;
constexpr std::uint64_t kGdt = 0x7000;
constexpr std::uint64_t kHandlers = 0x8000; // 16 bytes each
constexpr std::uint64_t kFree = 0xa000;     // aligned for xsave
constexpr std::uint64_t kVectors = 32;
constexpr std::uint16_t kCodeSelector = 8;

// SDM 3, 4.5 "4-Level Paging", tables 4-15 to 4-17.
constexpr std::uint64_t kPresentWritable = 3;
constexpr std::uint64_t kLargePage = 1u << 7;

// SDM 3, 3.4.5 "Segment Descriptors", and 6.14.1 "64-Bit Mode IDT".
constexpr std::uint64_t kCode64 = 0x00af9b000000ffff;
constexpr std::uint64_t kInterruptGate = 0x8e00ULL << 32;

// SDM 3, 2.5 "Control Registers", 2.2.1 "Extended Feature Enable Register".
constexpr std::uint64_t kCr0 = 1u << 31 | 1u << 5 | 1u << 4 | 1u << 1 | 1; // PG, NE, ET, MP, PE
constexpr std::uint64_t kCr4 = 1u << 5 | 1u << 9;                          // PAE, OSFXSR
constexpr std::uint64_t kCr4Osxsave = 1u << 18;
constexpr std::uint64_t kEfer = 1u << 10 | 1u << 8; // LMA, LME

template <class T> std::string bytes_of(const T &value) {
  const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
  return {bytes.begin(), bytes.end()};
}

/// Tables for ring 0 of long mode, the first 2 MiB mapped to themselves, and for each vector a
/// handler that says its number.
void lay_out(TinyGuest &guest) {
  guest.put(kPml4, bytes_of(kPdpt | kPresentWritable));
  guest.put(kPdpt, bytes_of(kDirectory | kPresentWritable));
  guest.put(kDirectory, bytes_of(kPresentWritable | kLargePage));
  guest.put(kGdt + kCodeSelector, bytes_of(kCode64));
  for (std::uint64_t vector = 0; vector < kVectors; ++vector) {
    const std::uint64_t handler = kHandlers + 16 * vector;
    guest.put(kIdt + 16 * vector, bytes_of(handler | kInterruptGate | std::uint64_t{kCodeSelector} << 16));
    const char code[] = {'\xb0', static_cast<char>(vector), '\xe6', '\x80', '\xf4'}; // mov al; out; hlt
    guest.put(handler, {code, sizeof code});
  }
}

Result<void> enter_long_mode(Vcpu &vcpu, std::uint64_t cr4) {
  auto special = vcpu.sregs();
  if (!special)
    return tl::unexpected(special.error());
  special->cr0 = kCr0;
  special->cr3 = kPml4;
  special->cr4 = cr4;
  special->efer = kEfer;
  special->gdt = {.base = kGdt, .limit = 15, .padding = {}};
  special->idt = {.base = kIdt, .limit = 16 * kVectors - 1, .padding = {}};
  kvm_segment segment = {};
  segment.limit = 0xffffffff;
  segment.present = 1;
  segment.s = 1;
  segment.g = 1;
  segment.type = 3; // data, written, accessed
  segment.db = 1;
  segment.selector = 0;
  special->ds = special->es = special->fs = special->gs = special->ss = segment;
  segment.type = 11; // code, read, accessed
  segment.db = 0;
  segment.l = 1;
  segment.selector = kCodeSelector;
  special->cs = segment;
  return vcpu.set_sregs(*special);
}

/// Runs one instruction on a vCPU of its own. Returns what came of it in a word or two; empty: all well.
Result<std::string> run_one(TinyGuest &guest, std::size_t index) {
  const Instruction &instruction = kInstructions.at(index);
  Vcpu &vcpu = guest.vcpu(index);
  if (const auto r = enter_long_mode(vcpu, kCr4 | (index == kXsave ? kCr4Osxsave : 0)); !r)
    return index == kXsave ? Result<std::string>("not offered") : tl::unexpected(r.error());
  kvm_regs general = {};
  general.rip = TinyGuest::kBoot;
  general.rsp = TinyGuest::kStack;
  general.rflags = 2;
  general.rdi = kFree;
  general.rax = 3;
  if (const auto r = vcpu.set_regs(general); !r)
    return tl::unexpected(r.error());
  guest.put(TinyGuest::kBoot, std::string(instruction.bytes) + "\xb0\xff\xe6\x80\xf4"); // mov al, 0xff; out
  const Exit exit = guest.run(index);
  if (is_out(exit, kPort, instruction.leads_to))
    return std::string{};
  if (is_out(exit, kPort, kInvalidOpcode))
    return std::string("not offered");
  if (const auto *error = std::get_if<InternalError>(&exit);
      error != nullptr && error->suberror == kEmulation)
    return std::string("not interpreted");
  return how_it_ended(exit);
}

} // namespace

Finding probe_instructions(const Kvm &kvm) {
  std::array<std::uint32_t, kInstructions.size()> ids{};
  for (std::uint32_t id = 0; id < ids.size(); ++id)
    ids[id] = id;
  auto guest = TinyGuest::create(kvm, LapicKeeper::kNobody, ids);
  if (!guest)
    return {Standing::kLacks, guest.error().message};
  lay_out(*guest);
  std::vector<std::string_view> fine;
  std::map<std::string, std::vector<std::string_view>> wrong; // by what came of them
  for (std::size_t index = 0; index < kInstructions.size(); ++index) {
    const auto what = run_one(*guest, index);
    if (!what)
      return {Standing::kLacks, what.error().message};
    (what->empty() ? fine : wrong[*what]).push_back(kInstructions.at(index).name);
  }
  std::string found =
      fine.empty() ? "ring 0 runs none of them" : fmt::format("ring 0 runs {}", fmt::join(fine, ", "));
  for (const auto &[what, names] : wrong)
    found += fmt::format("; {}: {}", what, fmt::join(names, ", "));
  return {wrong.empty() ? Standing::kWorks : Standing::kPartly, std::move(found)};
}

} // namespace reveille::vmm
