// From the kernel's run page to an Exit, and back with an answer. Nothing else reads the
// union in kvm_run.
#pragma once

#include "vmm/kvm/exit.hpp"

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace reveille::vmm {

/// A vCPU's run page: kvm_run at its start, port data somewhere behind it.
using RunPage = std::span<std::byte>;

/// Decodes the exit that lies in `page`, which is at least sizeof(kvm_run) bytes. Total:
/// every exit_reason gives an Exit, and no offset or count in it leads outside the page.
/// Source: KVM API, 5. "The kvm_run structure".
[[nodiscard]] Exit decode(RunPage page);

/// Answers the IoIn in `page` with `value`, the same for every item. False if the page
/// holds no port read.
bool answer_io(RunPage page, std::uint32_t value);

/// Answers the MmioRead in `page`. False if the page holds no MMIO read.
bool answer_mmio(RunPage page, std::uint64_t value);

/// Answers the MsrRead in `page`. False if the page holds no MSR read.
bool answer_msr(RunPage page, std::uint64_t value);

/// Makes the MSR access in `page` a #GP. False if the page holds none.
bool refuse_msr(RunPage page);

} // namespace reveille::vmm
