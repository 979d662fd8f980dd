#include "vmm/report/json.hpp"

#include "vmm/report/host_json.hpp"
#include "vmm/report/words.hpp"
#include "vmm/scenario/actions.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace reveille::vmm {
namespace {

using Json = nlohmann::ordered_json;

/// To a tenth of a microsecond. A time that cannot be one (the guest's clock is the
/// guest's) is null.
Json us(std::optional<double> value) {
  if (!value || !is_credible(*value))
    return nullptr;
  return std::round(*value * 10) / 10;
}

Json points_json(const PointTimes &times) {
  Json points = {{"kick", us(times.kick)}};
  for (const protocol::PointRow &point : protocol::kPoints)
    points[std::string(point.name)] = us(times.arrived[static_cast<std::size_t>(point.point)]);
  return points;
}

Json cpu_json(const CpuVerdict &cpu) {
  const bool failed = cpu.outcome == CpuOutcome::kFailed;
  return {{"cpu", cpu.cpu},
          {"apic_id", cpu.apic_id},
          {"outcome", name(cpu.outcome)},
          {"reason", failed ? Json(cpu.reason) : Json(nullptr)},
          {"attempts", cpu.attempts},
          {"quarantined", cpu.quarantined},
          {"points", points_json(cpu.points)}};
}

Json online_json(const std::vector<CpuVerdict> &cpus) {
  Json online = Json::array();
  for (const CpuVerdict &cpu : cpus)
    if (cpu.outcome == CpuOutcome::kOnline)
      online.push_back(cpu.cpu);
  return online;
}

Json faults_json(const Scenario &scenario, const Observation &seen) {
  Json rows = Json::array();
  for (const FaultAccount &account : seen.faults) {
    if (account.fault >= scenario.faults.size())
      continue;
    const FaultSpec &fault = scenario.faults[account.fault];
    rows.push_back({{"fault", account.fault},
                    {"cpu", account.cpu},
                    {"at", fault.at.text},
                    {"action", name(fault.action)},
                    {"fired", account.fired}});
  }
  return rows;
}

Json invariant_json(const InvariantVerdict &invariant) {
  Json holds = nullptr;
  if (invariant.holds)
    holds = *invariant.holds;
  // Broken without a word of evidence would be an assertion nobody can check.
  const bool broken = invariant.holds == false;
  Json evidence = nullptr;
  if (invariant.holds != true && (broken || !invariant.evidence.empty()))
    evidence = invariant.evidence.empty() ? "no evidence was kept" : invariant.evidence;
  return {{"name", invariant.name}, {"holds", holds}, {"evidence", evidence}};
}

/// Names from the guest, and files' names, may be anything.
std::string dump(const Json &json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

} // namespace

std::string result_json(const Scenario &scenario, const HostInfo *host, const Observation &seen,
                        const Verdict &verdict) {
  Json cpus = Json::array();
  for (const CpuVerdict &cpu : verdict.cpus)
    cpus.push_back(cpu_json(cpu));
  Json invariants = Json::array();
  for (const InvariantVerdict &invariant : verdict.invariants)
    invariants.push_back(invariant_json(invariant));
  Json result({{"schema", 1},
               {"scenario", scenario.file},
               {"title", scenario.title},
               {"backend", name(scenario.backend)},
               {"strategy", name(scenario.bringup.strategy)},
               {"seed", scenario.seed},
               {"exit", static_cast<int>(verdict.exit)},
               {"verdict", name(verdict.kind)},
               {"host", host == nullptr ? Json::object() : host_json(*host)},
               {"online", online_json(verdict.cpus)},
               {"create_us", us(seen.create_us)},
               {"bringup_us", us(verdict.bringup_us)},
               {"decided_us", us(verdict.decided_us)},
               {"total_us", us(seen.total_us)},
               {"cpus", std::move(cpus)},
               {"faults", faults_json(scenario, seen)},
               {"invariants", std::move(invariants)},
               {"differences", verdict.differences}});
  if (!seen.start.empty())
    result["start"] = seen.start;
  return dump(result);
}

RunName run_name(const Scenario &scenario) {
  return {.file = scenario.file,
          .title = scenario.title,
          .seed = scenario.seed,
          .backend = scenario.backend,
          .strategy = scenario.bringup.strategy};
}

std::string result_json_failed(const RunName &run, const Error &error) {
  const std::string_view verdict = verdict_of_failure(error.status);
  const ExitStatus exit = verdict == "broken" ? ExitStatus::kBroken : error.status;
  return dump({{"schema", 1},
               {"scenario", run.file},
               {"title", run.title},
               {"backend", name(run.backend)},
               {"strategy", run.strategy ? Json(name(*run.strategy)) : Json(nullptr)},
               {"seed", run.seed},
               {"exit", static_cast<int>(exit)},
               {"verdict", verdict},
               {"host", Json::object()},
               {"online", Json::array()},
               {"create_us", nullptr},
               {"bringup_us", nullptr},
               {"decided_us", nullptr},
               {"total_us", nullptr},
               {"cpus", Json::array()},
               {"faults", Json::array()},
               {"invariants", Json::array()},
               {"differences", Json::array({error.message})}});
}

} // namespace reveille::vmm
