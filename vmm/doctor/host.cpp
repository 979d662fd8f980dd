#include "vmm/doctor/host.hpp"

#include "vmm/base/mapping.hpp"
#include "vmm/machine/descriptors.hpp"
#include "vmm/scenario/memory.hpp"

#include <fmt/format.h>

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace reveille::vmm {
namespace {

/// What a vCPU takes beside guest memory: 80 to 120 KiB created, 270 to 390 KiB more once run, as
/// measured on Linux 6.18.
constexpr std::uint64_t kVcpuKib = 512;

std::optional<std::uint64_t> available_mib() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  for (std::string unit; file >> name >> kib; std::getline(file, unit))
    if (name == "MemAvailable:")
      return kib >> 10;
  return std::nullopt;
}

/// For a scenario of that many vCPUs, all else left at its default.
std::uint64_t needed_mib(std::uint32_t vcpus) {
  const MemoryNeeds needs{.vcpus = vcpus, .attempts = 1, .strategy = abi::Strategy::kParallel};
  return default_memory_mib(needs) + (vcpus * kVcpuKib >> 10);
}

} // namespace

Finding probe_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  if (count == 0)
    return {Standing::kPartly, "their number is not known"};
  if (count == 1)
    return {Standing::kPartly, "1 for this process: no two vCPUs ever run at the same time"};
  return {Standing::kWorks, fmt::format("{} for this process; more vCPUs than that take turns", count)};
}

Finding probe_memory() {
  const std::uint64_t needed = needed_mib(abi::kMaxCpus);
  const auto available = available_mib();
  if (!available)
    return {Standing::kPartly, "/proc/meminfo does not say how much is available"};
  return {*available >= needed ? Standing::kWorks : Standing::kPartly,
          fmt::format("{} MiB available; {} vCPUs take about {} MiB", *available, abi::kMaxCpus, needed)};
}

Finding probe_descriptors() {
  for (const auto &[vcpus, without] : {std::pair(1U, Standing::kLacks), {abi::kMaxCpus, Standing::kPartly}})
    if (const auto room = make_room_for_descriptors(vcpus); !room)
      return {without, room.error().message};
  return {Standing::kWorks, fmt::format("room for {} vCPUs", abi::kMaxCpus)};
}

Finding probe_threads() {
  const std::uint64_t mib = needed_mib(abi::kMaxCpus);
  const Mapping memory = Mapping::map(-1, mib << 20);
  if (!memory.is_mapped())
    return {Standing::kPartly,
            fmt::format("no room for {} MiB of guest memory: {}", mib, std::strerror(errno))};
  std::latch over(1);
  std::vector<std::thread> threads;
  threads.reserve(abi::kMaxCpus);
  std::string why;
  try {
    while (threads.size() < abi::kMaxCpus)
      threads.emplace_back([&over] { over.wait(); });
  } catch (const std::exception &error) { // std::system_error, or std::bad_alloc
    why = error.what();
  }
  const std::size_t started = threads.size();
  over.count_down();
  for (std::thread &thread : threads)
    thread.join();
  if (started == abi::kMaxCpus)
    return {Standing::kWorks, fmt::format("{} started at a time", started)};
  return {started == 0 ? Standing::kLacks : Standing::kPartly,
          fmt::format("{} of {} started at a time: {}", started, abi::kMaxCpus, why)};
}

} // namespace reveille::vmm
