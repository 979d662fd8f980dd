#include "vmm/kvm/decode.hpp"

#include <algorithm>
#include <cstring>

namespace reveille::vmm {
namespace {

kvm_run &run_of(RunPage page) { return *reinterpret_cast<kvm_run *>(page.data()); }

/// The port data of an I/O exit, cut to what lies inside the page.
std::span<std::uint8_t> io_data(RunPage page) {
  const auto &io = run_of(page).io;
  if (io.data_offset >= page.size())
    return {};
  const std::uint64_t claimed = std::uint64_t{io.size} * io.count;
  const std::uint64_t room = page.size() - io.data_offset;
  return {reinterpret_cast<std::uint8_t *>(page.data()) + io.data_offset,
          static_cast<std::size_t>(std::min(claimed, room))};
}

Exit decode_io(RunPage page) {
  const auto &io = run_of(page).io;
  if (io.direction == KVM_EXIT_IO_IN)
    return IoIn{io.port, io.size, io.count};
  return IoOut{io.port, io.size, io.count, io_data(page)};
}

Exit decode_mmio(const kvm_run &run) {
  const auto size = static_cast<std::uint8_t>(std::min<std::size_t>(run.mmio.len, sizeof run.mmio.data));
  if (run.mmio.is_write == 0)
    return MmioRead{run.mmio.phys_addr, size};
  std::uint64_t value = 0;
  std::memcpy(&value, run.mmio.data, size);
  return MmioWrite{run.mmio.phys_addr, size, value};
}

Exit decode_internal_error(const kvm_run &run) {
  InternalError error{run.internal.suberror, {}, 0};
  const auto &failure = run.emulation_failure;
  const bool has_bytes = error.suberror == KVM_INTERNAL_ERROR_EMULATION && failure.ndata >= 3 &&
                         (failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0;
  if (has_bytes) {
    error.length = std::min<std::uint8_t>(failure.insn_size, sizeof failure.insn_bytes);
    std::copy_n(failure.insn_bytes, error.length, error.bytes.begin());
  }
  return error;
}

} // namespace

Exit decode(RunPage page) {
  const kvm_run &run = run_of(page);
  switch (run.exit_reason) {
  case KVM_EXIT_IO:
    return decode_io(page);
  case KVM_EXIT_MMIO:
    return decode_mmio(run);
  case KVM_EXIT_HLT:
    return Hlt{};
  case KVM_EXIT_SHUTDOWN:
    return Shutdown{};
  case KVM_EXIT_INTERNAL_ERROR:
    return decode_internal_error(run);
  case KVM_EXIT_FAIL_ENTRY:
    return FailEntry{run.fail_entry.hardware_entry_failure_reason, run.fail_entry.cpu};
  case KVM_EXIT_SYSTEM_EVENT:
    return SystemEvent{run.system_event.type};
  case KVM_EXIT_DEBUG:
    return Debug{run.debug.arch.exception, run.debug.arch.pc, run.debug.arch.dr6};
  case KVM_EXIT_X86_RDMSR:
    return MsrRead{run.msr.index};
  case KVM_EXIT_X86_WRMSR:
    return MsrWrite{run.msr.index, run.msr.data};
  case KVM_EXIT_IRQ_WINDOW_OPEN:
  case KVM_EXIT_SET_TPR:
    return InterruptWindow{};
  case KVM_EXIT_INTR:
    return Interrupted{};
  default:
    return UnknownExit{run.exit_reason};
  }
}

bool answer_io(RunPage page, std::uint32_t value) {
  const kvm_run &run = run_of(page);
  if (run.exit_reason != KVM_EXIT_IO || run.io.direction != KVM_EXIT_IO_IN)
    return false;
  const std::size_t item = run.io.size;
  const std::span<std::uint8_t> data = io_data(page);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::uint8_t>(value >> (8 * (i % item % sizeof value)));
  return true;
}

bool answer_mmio(RunPage page, std::uint64_t value) {
  kvm_run &run = run_of(page);
  if (run.exit_reason != KVM_EXIT_MMIO || run.mmio.is_write != 0)
    return false;
  std::memcpy(run.mmio.data, &value, sizeof run.mmio.data);
  return true;
}

bool refuse_msr(RunPage page) {
  kvm_run &run = run_of(page);
  if (run.exit_reason != KVM_EXIT_X86_RDMSR && run.exit_reason != KVM_EXIT_X86_WRMSR)
    return false;
  run.msr.error = 1;
  return true;
}

bool answer_msr(RunPage page, std::uint64_t value) {
  kvm_run &run = run_of(page);
  if (run.exit_reason != KVM_EXIT_X86_RDMSR)
    return false;
  run.msr.error = 0;
  run.msr.data = value;
  return true;
}

} // namespace reveille::vmm
