#include "vmm/scenario/build.hpp"
#include "vmm/scenario/cpulist.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/section.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

/// One [[sim.latency]], as far as it is right.
LatencySpec build_latency(const Node &table, const std::string &path, const Limits &limits,
                          Diagnostics &diag) {
  LatencySpec latency;
  SectionReader keys(&table, KeySection::kLatency, path, table.origin, diag);
  latency.us = keys.number("us").value_or(0);
  if (const Node *cpu = keys.find("cpu"))
    if (auto cpus = read_cpus(*cpu, keys.path_of("cpu"), limits, cpu_range(1, limits.max_cpus - 1), diag)) {
      latency.cpus = std::move(*cpus);
      if (!latency.cpus.empty() && latency.cpus.front() == 0)
        keys.reject("cpu", "CPU 0 is the control CPU and comes to none of these places");
    }
  const Node *at = keys.find("at");
  if (at == nullptr)
    return latency;
  latency.at = at->text;
  const auto parsed = parse_place(at->text);
  if (!parsed)
    keys.reject("at", parsed.error());
  else if (parsed->kind == PlaceKind::kStepDone || parsed->kind == PlaceKind::kPrepareStepDone)
    keys.reject("at",
                fmt::format("\"{}\" takes no time of its own; the step does, without \".done\"", at->text));
  else if (!std::holds_alternative<GuestPlace>(parsed->place.where))
    keys.reject("at", fmt::format("nothing takes time at \"{}\"", at->text));
  else
    latency.place = std::get<GuestPlace>(parsed->place.where).place;
  return latency;
}

} // namespace

SimSpec build_sim(const Node *sim, const Limits &limits, Diagnostics &diag) {
  SimSpec spec;
  const SectionReader keys(sim, KeySection::kSim, "sim", {1, 1, -1}, diag);
  const auto read = [&](std::string_view name, double &value) { value = keys.number(name).value_or(value); };
  read("prepare_us", spec.prepare_us);
  read("kick_us", spec.kick_us);
  read("wake_us", spec.wake_us);
  read("boot_us", spec.boot_us);
  read("step_us", spec.step_us);
  read("ipi_us", spec.ipi_us);
  read("serve_us", spec.serve_us);
  read("jitter", spec.jitter);
  if (const Node *latencies = keys.find("latency"))
    for (std::size_t i = 0; i < latencies->children.size(); ++i)
      spec.latencies.push_back(
          build_latency(latencies->children[i], fmt::format("sim.latency.{}", i), limits, diag));
  return spec;
}

} // namespace reveille::vmm
