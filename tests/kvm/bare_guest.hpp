// A machine with next to nothing in it: real mode, 64 KiB, code made by hand.
#pragma once

#include "vmm/base/mapping.hpp"
#include "vmm/kvm/kvm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace reveille::vmm::test {

/// Skips the calling test, by name, where there is no KVM to run it on.
#define REVEILLE_NEEDS_KVM()                                                                                 \
  if (const auto probed = ::reveille::vmm::Kvm::open(); !probed)                                             \
  GTEST_SKIP() << probed.error().message

/// What a step of a test's preparation gave; ends the test with its message when it failed.
inline void must(const Result<void> &result) {
  if (!result)
    throw std::runtime_error(result.error().message);
}
template <class T> T must(Result<T> result) {
  if (!result)
    throw std::runtime_error(result.error().message);
  return std::move(*result);
}

enum class Lapic { kNone, kKernel };

/// vCPUs of one VM. The first stands at kCode in real mode; with LAPICs the others wait for
/// INIT. Everything throws on failure, which ends the test.
class BareGuest {
public:
  static constexpr std::size_t kMemory = 0x10000;
  static constexpr std::uint16_t kCode = 0x1000;
  static constexpr std::uint8_t kCodePage = kCode >> 12;

  BareGuest(std::string_view code, Lapic lapic, std::uint32_t vcpus = 1)
      : memory_(Mapping::map(-1, kMemory)), kvm_(must(Kvm::open())), vm_(must(kvm_.create_vm())) {
    std::transform(code.begin(), code.end(), memory_.bytes().begin() + kCode,
                   [](char c) { return static_cast<std::byte>(c); });
    must(vm_.add_memory(0, 0, memory_.bytes()));
    if (lapic == Lapic::kKernel)
      must(vm_.create_irqchip());
    const auto cpuid = must(kvm_.supported_cpuid());
    for (std::uint32_t id = 0; id < vcpus; ++id) {
      vcpus_.push_back(must(vm_.create_vcpu(id)));
      must(vcpus_.back().set_cpuid(cpuid));
    }
    if (lapic == Lapic::kKernel)
      must(vcpu().set_lapic(must(vcpu().lapic())));
    start_at(vcpu(), kCode);
  }

  /// Real mode, all segments at 0.
  static void start_at(Vcpu &vcpu, std::uint16_t ip) {
    auto special = must(vcpu.sregs());
    for (kvm_segment *segment : {&special.cs, &special.ds, &special.es, &special.ss}) {
      segment->base = 0;
      segment->selector = 0;
    }
    must(vcpu.set_sregs(special));
    kvm_regs general = {};
    general.rip = ip;
    general.rsp = 0x8000;
    general.rflags = 2;
    must(vcpu.set_regs(general));
  }

  [[nodiscard]] Vcpu &vcpu(std::size_t index = 0) { return vcpus_.at(index); }
  [[nodiscard]] Vm &vm() { return vm_; }
  [[nodiscard]] Kvm &kvm() { return kvm_; }
  [[nodiscard]] std::span<std::byte> memory() const { return memory_.bytes(); }

private:
  Mapping memory_;
  Kvm kvm_;
  Vm vm_;
  std::vector<Vcpu> vcpus_;
};

} // namespace reveille::vmm::test
