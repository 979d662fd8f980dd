#include "vmm/lab/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kEferLma = 1u << 10; // SDM 3, 2.2.1 "Extended Feature Enable Register"

/// Where an AP halts that may not claim (guest/smp/claim.cpp), as the symbolizer names it.
constexpr std::string_view kClaimCode = "ap_claim+";

/// SDM 3, 3.4.5 "Segment Descriptors": the L and D/B flags.
CodeWidth width_of(const kvm_sregs &special) {
  if ((special.efer & kEferLma) != 0 && special.cs.l != 0)
    return CodeWidth::k64;
  return special.cs.db != 0 ? CodeWidth::k32 : CodeWidth::k16;
}

/// As RESET and INIT leave it. Source: SDM 3, table 10-1 "IA-32 and Intel 64 Processor States".
bool is_at_reset(const Registers &registers, std::uint64_t linear_rip) {
  return (registers.cr0 & 1) == 0 && linear_rip == 0xffff'fff0;
}

Registers registers_of(const kvm_regs &general, const kvm_sregs &special) {
  Registers r;
  r.rax = general.rax;
  r.rbx = general.rbx;
  r.rcx = general.rcx;
  r.rdx = general.rdx;
  r.rsi = general.rsi;
  r.rdi = general.rdi;
  r.rbp = general.rbp;
  r.rsp = general.rsp;
  r.r8 = general.r8;
  r.r9 = general.r9;
  r.r10 = general.r10;
  r.r11 = general.r11;
  r.r12 = general.r12;
  r.r13 = general.r13;
  r.r14 = general.r14;
  r.r15 = general.r15;
  r.rip = general.rip;
  r.rflags = general.rflags;
  r.cr0 = special.cr0;
  r.cr3 = special.cr3;
  r.cr4 = special.cr4;
  r.cs = special.cs.selector;
  return r;
}

/// The bytes of [begin, end), which lie in one page; empty when they are not there.
std::vector<std::uint8_t> read_page(Machine &machine, const Vcpu &vcpu, std::uint64_t begin,
                                    std::uint64_t end) {
  const auto physical = vcpu.translate(begin);
  if (!physical || !*physical)
    return {};
  const auto from = machine.memory().bytes(**physical, end - begin);
  if (!from)
    return {};
  std::vector<std::uint8_t> bytes(from->size());
  std::memcpy(bytes.data(), from->data(), from->size());
  return bytes;
}

/// What lies around `rip`, as far as the pages that it is in are there.
std::optional<CodeBytes> code_at(Machine &machine, const Vcpu &vcpu, std::uint64_t rip, CodeWidth width) {
  if (rip > std::numeric_limits<std::uint64_t>::max() - CodeBytes::kBehind)
    return std::nullopt;
  const std::uint64_t end = rip + CodeBytes::kBehind;
  const std::uint64_t own_page = rip - rip % kPage;
  const std::uint64_t wanted = rip - std::min<std::uint64_t>(rip, CodeBytes::kBefore);
  CodeBytes code{std::max(wanted, own_page), rip, width, {}};
  code.bytes = read_page(machine, vcpu, code.begin, std::min(end, own_page + kPage));
  if (code.bytes.empty())
    return std::nullopt;
  if (end > own_page + kPage)
    if (const auto next = read_page(machine, vcpu, own_page + kPage, end); !next.empty())
      code.bytes.insert(code.bytes.end(), next.begin(), next.end());
  if (wanted < own_page)
    if (const auto before = read_page(machine, vcpu, wanted, own_page); !before.empty()) {
      code.bytes.insert(code.bytes.begin(), before.begin(), before.end());
      code.begin = wanted;
    }
  return code;
}

} // namespace

std::optional<Look> look_at(Machine &machine, CpuIndex cpu, std::uint32_t attempt,
                            std::optional<std::uint64_t> panic_rip) {
  const Vcpu &vcpu = machine.vcpu(cpu);
  const auto general = vcpu.regs();
  const auto special = vcpu.sregs();
  const auto rip = vcpu.linear_rip();
  if (!general || !special || !rip)
    return std::nullopt;
  Look look;
  look.attempt = attempt;
  look.panicked = panic_rip.has_value();
  look.registers = registers_of(*general, *special);
  look.at_reset = is_at_reset(look.registers, *rip);
  look.rip = panic_rip.value_or(0) != 0 ? *panic_rip : *rip;
  look.code = code_at(machine, vcpu, look.rip, width_of(*special));
  return look;
}

std::string name_of_code(const Machine &machine, std::uint64_t address) {
  std::string name = machine.symbols().describe(address);
  const auto pages = machine.control().kept()[static_cast<std::size_t>(abi::Keep::kTrampolines)];
  if (!pages || address < pages->begin || address >= pages->end || name != fmt::format("{:#x}", address))
    return name;
  const std::uint64_t offset = address - pages->begin;
  return fmt::format("trampoline page {}+{:#x}", offset / kPage, offset % kPage);
}

VcpuSnapshot snapshot(Machine &machine, CpuIndex cpu, std::optional<std::size_t> holder,
                      const std::optional<Look> &last) {
  VcpuSnapshot shot;
  const std::uint32_t attempt = machine.control().word(cpu).attempt;
  shot.rip = machine.vcpu(cpu).linear_rip().value_or(0);
  if (const auto now = look_at(machine, cpu, attempt)) {
    shot.rsp = now->registers.rsp;
    shot.at_reset = now->at_reset;
    const bool is_last = last && last->attempt == attempt && (last->panicked || now->at_reset);
    const Look &told = is_last ? *last : *now;
    shot.registers = told.registers;
    shot.code = told.code;
    if (is_last) {
      shot.moment = last->panicked ? Moment::kPanic : Moment::kBeforeInit;
      shot.was_at = last->rip;
      shot.was_in = name_of_code(machine, last->rip);
    }
  }
  // Last, because asking has a frozen vCPU take the INIT that is pending.
  const auto mp = machine.processor(cpu).state();
  shot.mp_state = mp ? std::string(name(*mp)) : "unknown";
  shot.where = name_of_code(machine, shot.rip);
  shot.refused = mp && *mp == MpState::kHalted && shot.where.starts_with(kClaimCode);
  shot.by = holder;
  shot.held = holder.has_value();
  return shot;
}

} // namespace reveille::vmm
