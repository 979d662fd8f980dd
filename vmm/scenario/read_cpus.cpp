#include "vmm/scenario/build.hpp"
#include "vmm/scenario/cpulist.hpp"

#include <fmt/format.h>

#include <set>

namespace reveille::vmm {
namespace {

/// One CPU number; what is wrong with it goes to the diagnostics.
std::optional<CpuIndex> read_cpu(const Node &value, const std::string &key, const Limits &limits,
                                 Diagnostics &diag) {
  if (value.kind != Node::Kind::kInteger)
    diag.add(value.origin, key, fmt::format("expected a CPU number, found {}", describe(value)));
  else if (value.integer < 0 || value.integer >= std::int64_t{limits.vcpus})
    diag.add(value.origin, key, no_such_cpu(fmt::format("{}", value.integer), limits.vcpus));
  else
    return static_cast<CpuIndex>(value.integer);
  return std::nullopt;
}

} // namespace

std::optional<std::vector<CpuIndex>> read_cpus(const Node &value, const std::string &key,
                                               const Limits &limits, const std::vector<CpuIndex> &all,
                                               Diagnostics &diag) {
  if (value.kind == Node::Kind::kText) {
    if (value.text == "all")
      return all;
    auto cpus = parse_cpulist(value.text, limits.vcpus);
    if (cpus)
      return std::move(*cpus);
    diag.add(value.origin, key, cpus.error());
    return std::nullopt;
  }
  if (value.kind != Node::Kind::kArray) {
    const auto cpu = read_cpu(value, key, limits, diag);
    return cpu ? std::optional(std::vector{*cpu}) : std::nullopt;
  }
  std::set<CpuIndex> cpus;
  if (value.children.empty())
    diag.add(value.origin, key, "names no CPU");
  for (const Node &element : value.children) {
    const auto cpu = read_cpu(element, key, limits, diag);
    if (!cpu)
      return std::nullopt;
    cpus.insert(*cpu);
  }
  return value.children.empty() ? std::nullopt : std::optional(std::vector(cpus.begin(), cpus.end()));
}

} // namespace reveille::vmm
