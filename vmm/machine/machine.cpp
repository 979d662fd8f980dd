#include "vmm/machine/machine.hpp"

#include "vmm/machine/acpi.hpp"
#include "vmm/machine/cpuid.hpp"
#include "vmm/machine/descriptors.hpp"
#include "vmm/machine/kernel_apic.hpp"
#include "vmm/machine/pvh.hpp"
#include "vmm/machine/user_apic.hpp"
#include "vmm/probe/needs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <type_traits>
#include <utility>

namespace reveille::vmm {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t us_since(Clock::time_point began) {
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  return static_cast<std::uint64_t>(time.count());
}

Result<void> check_counts(const Kvm &kvm, std::uint32_t vcpus) {
  if (vcpus > kvm.max_vcpus() || vcpus > kvm.max_vcpu_id())
    return fail(ExitStatus::kUnsupported,
                fmt::format("{} vCPUs are more than this host's KVM has for one machine, {}; use fewer",
                            vcpus, std::min(kvm.max_vcpus(), kvm.max_vcpu_id())));
  return {};
}

/// It has no padding that could differ.
bool same(const abi::Request &a, const abi::Request &b) {
  static_assert(std::has_unique_object_representations_v<abi::Request>);
  return std::memcmp(&a, &b, sizeof a) == 0;
}

/// By a two's complement: a TSC that is behind has gone on by less.
Result<void> put_tsc_ahead(Vcpu &vcpu, std::int64_t ticks) {
  const auto offset = vcpu.tsc_offset();
  if (!offset)
    return tl::unexpected(offset.error());
  return vcpu.set_tsc_offset(*offset + static_cast<std::uint64_t>(ticks));
}

} // namespace

/// What has been built so far, in the order in which it is needed.
class MachineBuilder {
public:
  MachineBuilder(const Scenario &scenario, const GuestImage &image, Machine::Interrupted interrupted)
      : scenario_(scenario), image_(image), interrupted_(interrupted), roster_(scenario) {}

  Result<Machine> build() {
    auto memory = GuestMemory::create(scenario_.machine.memory_mib);
    if (!memory)
      return tl::unexpected(memory.error());
    // Before KVM is asked for anything, so that what is wrong with the scenario or the image
    // is said on every host.
    auto layout = load(*memory);
    if (!layout)
      return tl::unexpected(layout.error());
    auto kvm = Kvm::open();
    if (!kvm)
      return tl::unexpected(kvm.error());
    if (auto r = check_counts(*kvm, scenario_.machine.vcpus); !r)
      return tl::unexpected(r.error());
    if (auto r = check_needs(*kvm, scenario_); !r)
      return tl::unexpected(r.error());
    if (auto r = make_room_for_descriptors(scenario_.machine.vcpus); !r)
      return tl::unexpected(r.error());
    return assemble(*kvm, apic_setup(scenario_.machine), std::move(*memory), *layout);
  }

  Result<void> restart(Machine &machine, const MachineState &as_built) {
    const auto started = Clock::now();
    if (auto r = machine.memory_.clear(); !r)
      return r;
    const auto layout = load(machine.memory_);
    if (!layout)
      return tl::unexpected(layout.error());
    if (auto r = as_built.restore(machine); !r)
      return r;
    auto control = ControlArea::create(machine.memory_, *layout, scenario_, {machine.tsc_khz_, kLapicHz});
    if (!control)
      return tl::unexpected(control.error());
    machine.control_ = std::move(*control);
    if (!has_kernel_lapics()) {
      machine.bus_.reset(); // its clock wakes processors
      machine.processors_.clear();
      tsc_khz_ = machine.tsc_khz_;
      connect(machine, apic_setup(scenario_.machine), *machine.reset_);
    }
    machine.platform_ = std::make_unique<Platform>();
    machine.create_us_ = us_since(started);
    return {};
  }

private:
  /// The image and the tables; returns where the control area is to be.
  Result<ControlLayout> load(const GuestMemory &memory) {
    const auto layout = lay_out_control_area(scenario_.machine, scenario_.bringup, memory.low_end());
    if (!layout)
      return tl::unexpected(layout.error());
    const GuestRange reserved[] = {kFirmwareArea, layout->range};
    if (auto r = image_.load(memory, reserved); !r)
      return tl::unexpected(r.error());
    std::vector<MadtCpu> cpus;
    for (const ListedCpu &entry : roster_.listed())
      cpus.push_back({apic_id(entry.id_of), entry.cpu, entry.enabled});
    const auto acpi = AcpiTables::build(cpus, kStartInfoAddress, scenario_.machine.apic == ApicMode::kKernel);
    if (!acpi)
      return tl::unexpected(acpi.error());
    if (auto r = acpi->load(memory); !r)
      return tl::unexpected(r.error());
    const auto command_line = fmt::format("reveille.control={:#x}", layout->page);
    if (auto r = write_start_info(memory, memory_map(memory, layout->range), command_line, acpi->rsdp()); !r)
      return tl::unexpected(r.error());
    return *layout;
  }

  Result<Vm> create_vm(const Kvm &kvm, const ApicSetup &setup, const GuestMemory &memory) const {
    auto vm = kvm.create_vm();
    if (!vm)
      return vm;
    // Memory before interrupt chips, and behind an MSR filter: else it, or the filter, costs a grace period
    // of 6 ms.
    if (!has_kernel_lapics())
      if (auto r = create_irqchips(*vm); !r)
        return tl::unexpected(r.error());
    std::uint32_t slot = 0;
    for (const GuestMemory::Region &region : memory.regions())
      if (auto r = vm->add_memory(slot++, region.gpa, region.host); !r)
        return tl::unexpected(r.error());
    if (has_kernel_lapics())
      if (auto r = create_irqchips(*vm); !r)
        return tl::unexpected(r.error());
    if (setup.needs_wide_ids && has_kernel_lapics())
      if (auto r = vm->allow_wide_apic_ids(); !r)
        return tl::unexpected(r.error());
    return vm;
  }

  [[nodiscard]] bool has_kernel_lapics() const { return scenario_.machine.apic != ApicMode::kUser; }

  /// As the scenario has it; without any, what the guest does to a LAPIC comes out.
  Result<void> create_irqchips(Vm &vm) const {
    constexpr Vm::HandedMsr kMsrs[] = {{lapic::kMsrApicBase, false, true},
                                       {lapic::kMsrTscDeadline, true, true}};
    switch (scenario_.machine.apic) {
    case ApicMode::kKernel:
      return vm.create_irqchip();
    case ApicMode::kSplit:
      return vm.create_split_irqchip();
    case ApicMode::kUser:
      return vm.hand_over_msrs(kMsrs);
    }
    return {};
  }

  Result<std::vector<Vcpu>> create_vcpus(const Kvm &kvm, Vm &vm, const ApicSetup &setup) {
    const auto supported = kvm.supported_cpuid();
    if (!supported)
      return tl::unexpected(supported.error());
    CpuidSpec spec;
    spec.vcpus = scenario_.machine.vcpus;
    spec.threads_per_core = scenario_.machine.threads_per_core;
    spec.offers_x2apic = setup.offers_x2apic;
    spec.offers_tsc_deadline = !has_kernel_lapics() || kvm.capability(KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    std::vector<Vcpu> vcpus;
    vcpus.reserve(spec.vcpus);
    for (CpuIndex cpu = 0; cpu < spec.vcpus; ++cpu) {
      if (interrupted_())
        return fail(ExitStatus::kInterrupted, "interrupted before the guest was started");
      if (!roster_.exists(cpu))
        continue;
      auto vcpu = vm.create_vcpu(apic_id(cpu));
      if (!vcpu)
        return tl::unexpected(vcpu.error());
      if (cpu == 0)
        spec.tsc_khz = tsc_khz_ = vcpu->tsc_khz().value_or(0);
      if (auto r = vcpu->set_cpuid(vcpu_cpuid(*supported, spec, apic_id(cpu))); !r)
        return tl::unexpected(r.error());
      if (setup.starts_in_x2apic(cpu))
        if (auto r = vcpu->enable_x2apic(); !r)
          return tl::unexpected(r.error());
      vcpus.push_back(std::move(*vcpu));
    }
    if (auto r = skew_clocks(vcpus); !r)
      return tl::unexpected(r.error());
    return vcpus;
  }

  /// When all are there: KVM gives a new vCPU the TSC that it has set last.
  Result<void> skew_clocks(std::vector<Vcpu> &vcpus) const {
    for (Vcpu &vcpu : vcpus)
      if (const double us = roster_.skew_us(vcpu.id()); us != 0)
        if (auto r = put_tsc_ahead(vcpu, skew_ticks(us, tsc_khz_)); !r)
          return r;
    return {};
  }

  Result<Machine> assemble(const Kvm &kvm, const ApicSetup &setup, GuestMemory memory,
                           const ControlLayout &layout) {
    const auto started = Clock::now();
    auto vm = create_vm(kvm, setup, memory);
    if (!vm)
      return tl::unexpected(vm.error());
    auto vcpus = create_vcpus(kvm, *vm, setup);
    if (!vcpus)
      return tl::unexpected(vcpus.error());
    if (has_kernel_lapics())
      if (auto r = vcpus->front().announce_lapics(); !r)
        return tl::unexpected(r.error());
    const auto reset = ResetState::of(vcpus->front());
    if (!reset)
      return tl::unexpected(reset.error());
    if (auto r = set_boot_state(vcpus->front(), image_.entry()); !r)
      return tl::unexpected(r.error());
    const std::uint64_t create_us = us_since(started);
    auto control = ControlArea::create(memory, layout, scenario_, {tsc_khz_, kLapicHz});
    if (!control)
      return tl::unexpected(control.error());
    Machine machine(std::move(memory), std::make_unique<Vm>(std::move(*vm)), std::move(*control),
                    std::move(*vcpus));
    for (CpuIndex cpu = 0, there = 0; cpu < scenario_.machine.vcpus; ++cpu)
      machine.places_.push_back(roster_.exists(cpu) ? there++ : scenario_.machine.vcpus);
    connect(machine, setup, *reset);
    machine.symbols_ = std::make_unique<Symbolizer>(image_.file());
    machine.host_ = host_info(kvm);
    machine.tsc_khz_ = tsc_khz_;
    machine.reset_ = *reset;
    machine.apic_ = scenario_.machine.apic;
    machine.create_us_ = create_us;
    return machine;
  }

  /// The processors and what is between them.
  void connect(Machine &machine, const ApicSetup &setup, const ResetState &reset) const {
    if (has_kernel_lapics()) {
      machine.bus_ = std::make_unique<KernelApicBus>(*machine.vm_);
      for (Vcpu &vcpu : machine.vcpus_)
        machine.processors_.push_back(std::make_unique<KernelProcessor>(vcpu));
      return;
    }
    auto bus = std::make_unique<UserApicBus>(machine.vcpus_, setup, reset, tsc_khz_);
    machine.processors_ = bus->take_processors();
    machine.bus_ = std::move(bus);
  }

  const Scenario &scenario_;
  const GuestImage &image_;
  Machine::Interrupted interrupted_;
  const Roster roster_;
  std::uint32_t tsc_khz_ = 0;
};

Machine::Machine(GuestMemory memory, std::unique_ptr<Vm> vm, ControlArea control, std::vector<Vcpu> vcpus)
    : memory_(std::move(memory)), vm_(std::move(vm)), control_(std::move(control)), vcpus_(std::move(vcpus)),
      platform_(std::make_unique<Platform>()) {}

Result<Machine> Machine::build(const Scenario &scenario, const std::string &guest_elf,
                               Interrupted interrupted) {
  const auto image = GuestImage::open(guest_elf);
  if (!image)
    return tl::unexpected(image.error());
  return build(scenario, *image, interrupted);
}

Result<Machine> Machine::build(const Scenario &scenario, const GuestImage &image, Interrupted interrupted) {
  return MachineBuilder(scenario, image, interrupted).build();
}

Result<void> Machine::restart(const Scenario &scenario, const GuestImage &image,
                              const MachineState &as_built) {
  return MachineBuilder(scenario, image, never).restart(*this, as_built);
}

Result<bool> Machine::resume(const Scenario &scenario, const ZeroPoint &zero) {
  const auto started = Clock::now();
  const auto layout = lay_out_control_area(scenario.machine, scenario.bringup, memory_.low_end());
  const GuestClocks clocks{tsc_khz_, kLapicHz};
  if (!layout || *layout != zero.layout ||
      !same(ControlArea::request_of(scenario, zero.layout, clocks), zero.request))
    return false;
  if (auto r = memory_.put_back(zero.memory); !r)
    return tl::unexpected(r.error());
  if (auto r = zero.state.restore(*this); !r)
    return tl::unexpected(r.error());
  auto control = ControlArea::resume(memory_, zero.layout, scenario, clocks);
  if (!control)
    return tl::unexpected(control.error());
  control_ = std::move(*control);
  platform_ = std::make_unique<Platform>();
  create_us_ = us_since(started);
  return true;
}

} // namespace reveille::vmm
