// A machine of 64 KiB with a few instructions in it, and runs that end.
#pragma once

#include "vmm/base/mapping.hpp"
#include "vmm/kvm/kvm.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// Who keeps the local APICs.
enum class LapicKeeper : std::uint8_t { kNobody, kKernel, kSplit };

/// Owns a VM with some vCPUs, all in real mode. With LAPICs all but ID 0 wait for INIT.
class TinyGuest {
public:
  static constexpr std::size_t kMemory = 0x10000; ///< bytes, from address 0 on
  /// A vCPU that gets a SIPI with kStartupPage starts at kStartup.
  static constexpr std::uint8_t kStartupPage = 1;
  static constexpr std::uint64_t kStartup = 0x1000;
  static constexpr std::uint64_t kBoot = 0x2000; ///< where boot() puts a vCPU
  static constexpr std::uint64_t kStack = 0x9000;
  /// No run lasts longer: what a probe runs takes microseconds, on a loaded host milliseconds.
  static constexpr std::chrono::seconds kBound{5};

  /// `ids`: of the vCPUs, which are also their APIC IDs; `wide`: IDs above 254 are meant.
  [[nodiscard]] static Result<TinyGuest> create(const Kvm &kvm, LapicKeeper keeper,
                                                std::span<const std::uint32_t> ids, bool wide = false);

  /// Puts machine code, or data, into memory. It must fit.
  void put(std::uint64_t address, std::string_view bytes);

  /// Makes the vCPU start at kBoot, in real mode, with DS at `data`.
  [[nodiscard]] Result<void> boot(std::size_t index, std::uint64_t data = 0);

  /// Runs a vCPU in this thread until it needs the host, or until `bound` is over: Interrupted then.
  [[nodiscard]] Exit run(std::size_t index, std::chrono::milliseconds bound = kBound);

  [[nodiscard]] Vm &vm() { return vm_; }
  [[nodiscard]] Vcpu &vcpu(std::size_t index) { return vcpus_.at(index); }

private:
  TinyGuest(Mapping memory, Vm vm) : memory_(std::move(memory)), vm_(std::move(vm)) {}

  // Destroyed from the last to the first: the vCPUs, the VM, then the memory under them.
  Mapping memory_;
  Vm vm_;
  std::vector<Vcpu> vcpus_;
};

/// Whether `exit` is a byte, `value`, written to `port`.
[[nodiscard]] bool is_out(const Exit &exit, std::uint16_t port, std::uint8_t value);

/// describe(exit), or of a run whose time was up, that.
[[nodiscard]] std::string how_it_ended(const Exit &exit);

} // namespace reveille::vmm
