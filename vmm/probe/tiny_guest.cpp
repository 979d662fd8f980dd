#include "vmm/probe/tiny_guest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace reveille::vmm {
namespace {

constexpr std::uint32_t kFeatures = 1;         // CPUID leaf 1
constexpr std::uint32_t kEcxX2apic = 1u << 21; // SDM 2, CPUID, leaf 1, ECX

/// Kicks a vCPU out of its run when its time is up, unless it goes before.
class Watch {
public:
  Watch(Vcpu &vcpu, std::chrono::milliseconds bound) : thread_([this, &vcpu, bound] { wait(vcpu, bound); }) {}
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  Watch(const Watch &) = delete;
  Watch &operator=(const Watch &) = delete;

  [[nodiscard]] bool expired() {
    const std::lock_guard lock(mutex_);
    return expired_;
  }

private:
  void wait(Vcpu &vcpu, std::chrono::milliseconds bound) {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, bound, [this] { return over_; }))
      return;
    expired_ = true;
    vcpu.kick();
  }

  std::mutex mutex_; ///< guards the flags
  std::condition_variable wake_;
  bool over_ = false;
  bool expired_ = false;
  std::thread thread_; ///< the last member: it uses the others
};

Result<void> create_lapics(Vm &vm, LapicKeeper keeper) {
  switch (keeper) {
  case LapicKeeper::kKernel:
    return vm.create_irqchip();
  case LapicKeeper::kSplit:
    return vm.create_split_irqchip();
  case LapicKeeper::kNobody:
    break;
  }
  return {};
}

/// Offers x2APIC, and says which APIC ID it is, where there is a place for it.
void patch(std::vector<kvm_cpuid_entry2> &leaves, std::uint32_t id) {
  for (kvm_cpuid_entry2 &leaf : leaves) {
    if (leaf.function == kFeatures) {
      leaf.ecx |= kEcxX2apic;
      leaf.ebx = (leaf.ebx & 0x00ffffff) | (id & 0xff) << 24;
    }
    if (leaf.function == 0xb || leaf.function == 0x1f)
      leaf.edx = id;
  }
}

} // namespace

Result<TinyGuest> TinyGuest::create(const Kvm &kvm, LapicKeeper keeper, std::span<const std::uint32_t> ids,
                                    bool wide) {
  Mapping memory = Mapping::map(-1, kMemory);
  if (!memory.is_mapped())
    return fail(ExitStatus::kUnsupported,
                fmt::format("mapping {} bytes failed: {}", kMemory, std::strerror(errno)));
  auto vm = kvm.create_vm();
  if (!vm)
    return tl::unexpected(vm.error());
  TinyGuest guest(std::move(memory), std::move(*vm));
  if (auto r = guest.vm_.add_memory(0, 0, guest.memory_.bytes()); !r)
    return tl::unexpected(r.error());
  if (auto r = create_lapics(guest.vm_, keeper); !r)
    return tl::unexpected(r.error());
  if (wide)
    if (auto r = guest.vm_.allow_wide_apic_ids(); !r)
      return tl::unexpected(r.error());
  const auto supported = kvm.supported_cpuid();
  if (!supported)
    return tl::unexpected(supported.error());
  for (const std::uint32_t id : ids) {
    auto vcpu = guest.vm_.create_vcpu(id);
    if (!vcpu)
      return tl::unexpected(vcpu.error());
    auto leaves = *supported;
    patch(leaves, id);
    if (auto r = vcpu->set_cpuid(leaves); !r)
      return tl::unexpected(r.error());
    guest.vcpus_.push_back(std::move(*vcpu));
  }
  if (keeper != LapicKeeper::kNobody)
    if (auto r = guest.vcpus_.front().announce_lapics(); !r)
      return tl::unexpected(r.error());
  return guest;
}

void TinyGuest::put(std::uint64_t address, std::string_view bytes) {
  const auto to = memory_.bytes().subspan(address, bytes.size());
  std::transform(bytes.begin(), bytes.end(), to.begin(), [](char c) { return static_cast<std::byte>(c); });
}

Result<void> TinyGuest::boot(std::size_t index, std::uint64_t data) {
  auto special = vcpu(index).sregs();
  if (!special)
    return tl::unexpected(special.error());
  for (kvm_segment *segment : {&special->cs, &special->ds, &special->es, &special->ss}) {
    segment->base = 0;
    segment->selector = 0;
  }
  special->ds.base = data;
  if (auto r = vcpu(index).set_sregs(*special); !r)
    return r;
  kvm_regs general = {};
  general.rip = kBoot;
  general.rsp = kStack;
  general.rflags = 2; // bit 1 is always set
  return vcpu(index).set_regs(general);
}

Exit TinyGuest::run(std::size_t index, std::chrono::milliseconds bound) {
  const auto binding = vcpu(index).bind_to_this_thread();
  Watch watch(vcpu(index), bound);
  for (;;) {
    Exit exit = vcpu(index).run();
    if (!std::holds_alternative<Interrupted>(exit) || watch.expired())
      return exit;
  }
}

bool is_out(const Exit &exit, std::uint16_t port, std::uint8_t value) {
  const auto *out = std::get_if<IoOut>(&exit);
  return out != nullptr && out->port == port && out->size == 1 && out->value() == value;
}

std::string how_it_ended(const Exit &exit) {
  if (std::holds_alternative<Interrupted>(exit))
    return "it did not come back by itself";
  return describe(exit);
}

} // namespace reveille::vmm
