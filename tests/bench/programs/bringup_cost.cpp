// One bring-up, and what it cost: time, exits, instructions, memory. Prints JSON.
//   bringup_cost [--guest protocol|real|long] [--vcpus N] [--apic kernel|split|user] [--strategy S]
//   bringup_cost --idle MS
// `protocol` is the guest as it is; `real` and `long` are the floors of floor/floor.S, in the same machine,
// on the same threads. One bring-up to a process, as with `vmm run`.
//   bringup_us    time zero to the last CPU, by the guest's TSC
//   counters      KVM's statistics of CPU 0, and of all APs together, without those that are 0; null
//                 where KVM has none. The end of the run has each vCPU leave KVM once more. On a KVM
//                 that interprets ring 0, insn_emulation is the number of guest instructions
//   host_kib      of the host's memory gone since before the machine was built; resident_kib what this
//                 process has more of. Of each the most that was seen, last when the run was over and the
//                 machine still there
// With --idle nothing is started for that many milliseconds:
//   idle_kib      between the most and the least memory that the host had: host_kib is not known better
// Exit status: 0 all CPUs came up; else the vmm's.
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <thread>

namespace reveille::vmm {
namespace {

constexpr unsigned kTimeoutMs = 60'000; // of an AP's turn: nothing is to be given up

struct Options {
  std::string guest = "protocol";
  std::string apic = "kernel";
  std::string strategy = "parallel";
  std::string wait = "halt";
  unsigned vcpus = 8;
  unsigned idle_ms = 0; ///< 0: there is a bring-up

  [[nodiscard]] bool is_floor() const { return guest != "protocol"; }
  [[nodiscard]] std::string image() const {
    return is_floor() ? fmt::format("{}/floor_{}.elf", REVEILLE_BIN, guest)
                      : std::string(REVEILLE_BIN "/guest.elf");
  }
  [[nodiscard]] std::string scenario() const {
    return fmt::format("[machine]\nvcpus = {}\napic = '{}'\n[bringup]\nstrategy = '{}'\nwait = '{}'\n"
                       "timeout_ms = {}\n",
                       vcpus, apic, strategy, wait, kTimeoutMs);
  }
};

/// Fields of a file such as /proc/meminfo, KiB.
std::map<std::string, std::int64_t> kib_fields(const char *path) {
  std::map<std::string, std::int64_t> fields;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (const auto colon = line.find(':'); colon != std::string::npos && line.ends_with(" kB"))
      fields[line.substr(0, colon)] = std::strtoll(line.c_str() + colon + 1, nullptr, 10);
  return fields;
}

/// Free pages that each CPU keeps aside, KiB. MemAvailable does not have them (mm/show_mem.c,
/// si_mem_available), and they are many: a machine's pages can come from here and go back here.
std::int64_t kept_aside_kib() {
  std::int64_t pages = 0;
  std::ifstream file("/proc/zoneinfo");
  for (std::string word; file >> word;)
    if (std::int64_t count = 0; word == "count:" && file >> count)
      pages += count;
  return pages * (::sysconf(_SC_PAGESIZE) / 1024);
}

/// What there is of the host's memory, of which other processes have their share too.
struct MemoryLook {
  std::int64_t available_kib = kib_fields("/proc/meminfo")["MemAvailable"] + kept_aside_kib();
  std::int64_t resident_kib = kib_fields("/proc/self/status")["VmRSS"];

  /// The least that was available, and the most that was resident.
  void look_again() {
    const MemoryLook now;
    available_kib = std::min(available_kib, now.available_kib);
    resident_kib = std::max(resident_kib, now.resident_kib);
  }
};

/// How far what there is of the host's memory goes up and down while we do nothing.
std::int64_t swing_kib(std::chrono::milliseconds duration) {
  constexpr auto kBetweenLooks = std::chrono::milliseconds(10);
  const auto end = std::chrono::steady_clock::now() + duration;
  const MemoryLook first;
  auto least = first.available_kib;
  auto most = first.available_kib;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kBetweenLooks);
    const MemoryLook now;
    least = std::min(least, now.available_kib);
    most = std::max(most, now.available_kib);
  }
  return most - least;
}

/// Counters of one vCPU, by name; or of many, added up.
using Counters = std::map<std::string, std::uint64_t>;

Result<void> add_stats(Counters &to, const Vcpu &vcpu) {
  const auto stats = vcpu.stats();
  if (!stats)
    return tl::unexpected(stats.error());
  for (const KvmStat &stat : *stats)
    to[stat.name] += stat.value;
  return {};
}

/// Those that are not 0.
Counters without_zeros(Counters counters) {
  std::erase_if(counters, [](const auto &counter) { return counter.second == 0; });
  return counters;
}

/// Of CPU 0, and of all APs together. Nothing where this KVM does not tell.
nlohmann::json counters_of(Machine &machine) {
  Counters control;
  Counters aps;
  for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu)
    if (!add_stats(cpu == 0 ? control : aps, machine.vcpu(cpu)))
      return nullptr;
  return {{"control", without_zeros(control)}, {"aps", without_zeros(aps)}};
}

/// From time zero to the last CPU; fails unless all came up and nothing was broken.
Result<double> bringup_us(const Options &options, const Scenario &scenario, const Observation &seen) {
  if (options.is_floor()) {
    if (seen.end != RunEnd::kComplete || seen.found_cpus != options.vcpus)
      return fail(ExitStatus::kBroken,
                  fmt::format("{} of {} CPUs counted themselves{}{}", seen.found_cpus, options.vcpus,
                              seen.end_detail.empty() ? "" : ": ", seen.end_detail));
    return seen.us(seen.decided_tsc);
  }
  const Verdict verdict = judge(scenario, seen);
  if (verdict.kind != VerdictKind::kPass || !verdict.bringup_us)
    return fail(ExitStatus::kBroken,
                verdict.differences.empty() ? "not all is as it should be" : verdict.differences.front());
  return *verdict.bringup_us;
}

Result<nlohmann::json> measure(const Options &options) {
  const auto scenario = parse_scenario(options.scenario(), "bringup_cost");
  if (!scenario)
    return tl::unexpected(scenario.error());
  const MemoryLook before;
  auto machine = Machine::build(*scenario, options.image());
  if (!machine)
    return tl::unexpected(machine.error());
  Lab lab(*scenario, *machine);
  MemoryLook extreme;
  const auto seen = lab.run([&extreme](const ProgressView &) { extreme.look_again(); });
  if (!seen)
    return tl::unexpected(seen.error());
  extreme.look_again();
  const auto took = bringup_us(options, *scenario, *seen);
  if (!took)
    return tl::unexpected(took.error());
  return nlohmann::json{{"guest", options.guest},
                        {"vcpus", options.vcpus},
                        {"apic", options.apic},
                        {"strategy", options.strategy},
                        {"wait", options.wait},
                        {"bringup_us", *took},
                        {"create_us", seen->create_us},
                        {"counters", counters_of(*machine)},
                        {"host_kib", before.available_kib - extreme.available_kib},
                        {"resident_kib", extreme.resident_kib - before.resident_kib}};
}

int dispatch(int count, char **arguments) {
  Options options;
  CLI::App app("One bring-up, and what it cost, as JSON");
  app.add_option("--guest", options.guest, "the full protocol, or the floor in real or in long mode")
      ->check(CLI::IsMember({"protocol", "real", "long"}));
  app.add_option("--vcpus", options.vcpus, "CPU 0 included")->check(CLI::Range(2, 1024));
  app.add_option("--apic", options.apic, "kernel, split or user");
  app.add_option("--strategy", options.strategy, "of the full protocol");
  app.add_option("--wait", options.wait, "of the full protocol: halt or spin");
  app.add_option("--idle", options.idle_ms, "start nothing for so many ms, and look at the host's memory")
      ->check(CLI::Range(1, 60'000));
  CLI11_PARSE(app, count, arguments);
  if (options.idle_ms > 0) {
    const nlohmann::json idle = {{"idle_kib", swing_kib(std::chrono::milliseconds(options.idle_ms))}};
    fmt::print("{}\n", idle.dump());
    return 0;
  }
  const auto measured = measure(options);
  if (measured) {
    fmt::print("{}\n", measured->dump());
    return 0;
  }
  fmt::print(stderr, "bringup_cost: {}\n", measured.error().message);
  return static_cast<int>(measured.error().status);
}

} // namespace
} // namespace reveille::vmm

int main(int count, char **arguments) {
  try {
    return reveille::vmm::dispatch(count, arguments);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "bringup_cost: failed: %s\n", error.what());
    return static_cast<int>(reveille::vmm::ExitStatus::kBroken);
  }
}
