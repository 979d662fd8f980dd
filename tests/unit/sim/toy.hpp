// A simulated machine with programs of the test's own, and a host that only takes notes.
#pragma once

#include "vmm/sim/machine.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace reveille::vmm::sim {

/// Programs are called on a CPU's own stack, which may be thrown away: what they capture is the
/// test's.
class ToySoftware final : public Software {
public:
  Begun begin(CpuIndex cpu, unsigned vector) override {
    begun.push_back({cpu, vector});
    return comes_of_it;
  }
  void run(CpuIndex cpu) override {
    if (programs[cpu])
      programs[cpu]();
  }
  void take_work(CpuIndex cpu) override { ++work[cpu]; }

  std::map<CpuIndex, std::function<void()>> programs;
  std::map<CpuIndex, unsigned> work;
  std::vector<std::pair<CpuIndex, unsigned>> begun; ///< CPU and vector
  Begun comes_of_it = Begun::kRuns;
};

class ToyHost final : public Host {
public:
  void at_place(CpuIndex actor, abi::Place, CpuIndex target) override { placed.push_back({actor, target}); }
  void was_reset(CpuIndex cpu) override { resets.push_back(cpu); }
  bool may_begin(CpuIndex) override { return true; }
  void is_due(CpuIndex cpu) override {
    if (due[cpu])
      due[cpu]();
  }
  void send(CpuIndex, const Parcel &, Ns) override {}
  void panicked(CpuIndex cpu, const char *why) override { panics[cpu] = why; }

  std::vector<std::pair<CpuIndex, CpuIndex>> placed;
  std::vector<CpuIndex> resets;
  std::map<CpuIndex, std::function<void()>> due; ///< what call_at() is for
  std::map<CpuIndex, std::string> panics;
};

struct Toy {
  explicit Toy(CpuIndex cpus) : machine(cpus, software, host) {}

  /// CPU 0 runs `program` from power-on on; until nothing is due.
  void run(std::function<void()> program) {
    software.programs[0] = std::move(program);
    machine.power_on();
    go();
  }
  void go(Ns until = kNever) {
    while (machine.next() < until)
      machine.step(kNever);
  }

  ToySoftware software;
  ToyHost host;
  Machine machine;
};

} // namespace reveille::vmm::sim
