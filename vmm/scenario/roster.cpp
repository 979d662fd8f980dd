#include "vmm/scenario/roster.hpp"

#include "vmm/scenario/chance.hpp"

#include <algorithm>
#include <utility>

namespace reveille::vmm {

Roster::Roster(const Scenario &scenario)
    : presence_(scenario.machine.vcpus), skew_us_(scenario.machine.vcpus),
      number_of_(scenario.machine.vcpus) {
  for (CpuIndex cpu = 0; cpu < scenario.machine.vcpus; ++cpu) {
    listed_.push_back({cpu, cpu});
    listed_as_.push_back(cpu);
  }
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    const FaultSpec &fault = scenario.faults[i];
    if (!std::holds_alternative<FirmwarePlace>(fault.at.where))
      continue;
    for (const CpuIndex cpu : fault.cpus)
      if (is_lucky(scenario.seed, i, fault, cpu, 0))
        apply(fault, cpu);
  }
  std::erase_if(listed_, [this](const ListedCpu &c) { return presence_[c.cpu] == Presence::kUnlisted; });
  number_cpus();
  const auto lost =
      std::count_if(presence_.begin(), presence_.end(), [](Presence p) { return !is_found(p); });
  requested_ = scenario.bringup.max_cpus - static_cast<std::uint32_t>(lost);
}

void Roster::apply(const FaultSpec &fault, CpuIndex cpu) {
  switch (fault.action) {
  case Action::kGhost:
    presence_[cpu] = Presence::kGhost;
    break;
  case Action::kUnlisted:
    presence_[cpu] = Presence::kUnlisted;
    break;
  case Action::kDisabled:
    presence_[cpu] = Presence::kDisabled;
    listed_[cpu].enabled = false;
    break;
  case Action::kSameId:
    listed_[cpu].id_of = fault.to;
    break;
  case Action::kSwapId:
    std::swap(listed_[cpu].id_of, listed_[fault.to].id_of);
    break;
  case Action::kSkew:
    skew_us_[cpu] = fault.skew_us;
    break;
  default:
    break;
  }
}

/// As the guest does it (guest/smp/cpus.hpp): the CPU that runs is 0, the others follow in the
/// order of the MADT. An entry whose ID has come before keeps its number, and stands for a CPU whose
/// own ID is in no entry.
void Roster::number_cpus() {
  std::vector<bool> has_number(presence_.size());
  std::vector<std::size_t> repeated;
  cpu_of_.push_back(0);
  bool own_seen = false;
  for (const ListedCpu &entry : listed_) {
    if (!entry.enabled)
      continue;
    if (entry.id_of == 0 && !std::exchange(own_seen, true))
      continue;
    if (entry.id_of == 0 || has_number[entry.id_of])
      repeated.push_back(cpu_of_.size());
    else
      has_number[entry.id_of] = true;
    cpu_of_.push_back(entry.id_of);
  }
  found_ = static_cast<std::uint32_t>(cpu_of_.size());
  auto next = repeated.begin();
  for (CpuIndex cpu = 1; cpu < presence_.size(); ++cpu) {
    if (has_number[cpu])
      continue;
    if (!is_found(presence_[cpu])) {
      cpu_of_.push_back(cpu);
    } else if (next != repeated.end()) {
      listed_as_[cpu] = cpu_of_[*next];
      cpu_of_[*next++] = cpu;
      presence_[cpu] = Presence::kTwin;
    }
  }
  for (CpuIndex number = 0; number < cpu_of_.size(); ++number)
    number_of_[cpu_of_[number]] = number;
}

void Roster::rename(abi::Event &event) const {
  using Kind = abi::EventKind;
  event.cpu = cpu_of(event.cpu);
  const bool names_control = event.kind == Kind::kDelegated || event.kind == Kind::kReturned ||
                             event.kind == Kind::kFenced || event.kind == Kind::kAdopted;
  if (names_control && event.a < cpu_of_.size())
    event.a = cpu_of_[event.a];
}

Scenario Roster::renumbered(const Scenario &scenario) const {
  const auto renumber = [this](std::vector<CpuIndex> &cpus) {
    for (CpuIndex &cpu : cpus)
      cpu = number_of(cpu);
    std::sort(cpus.begin(), cpus.end());
  };
  Scenario numbered = scenario;
  numbered.bringup.max_cpus = requested_;
  for (FaultSpec &fault : numbered.faults) {
    renumber(fault.cpus);
    fault.to = number_of(fault.to);
  }
  for (LatencySpec &latency : numbered.sim.latencies)
    renumber(latency.cpus);
  return numbered;
}

} // namespace reveille::vmm
