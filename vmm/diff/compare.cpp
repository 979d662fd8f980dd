#include "vmm/diff/compare.hpp"

#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace reveille::vmm {
namespace {

constexpr std::string_view kNotThere = "not in the result";

std::string outcome_text(const CpuVerdict &cpu) {
  return cpu.outcome == CpuOutcome::kFailed ? cpu.reason : std::string(name(cpu.outcome));
}

std::string holds_text(const InvariantResult *invariant) {
  if (invariant == nullptr)
    return std::string(kNotThere);
  return !invariant->holds ? "not judged" : *invariant->holds ? "holds" : "broken";
}

/// CPUs by what has changed of them, groups in the order of their first CPU.
class Groups {
public:
  void add(CpuIndex cpu, const std::string &before, const std::string &after) {
    const auto [it, fresh] = index_.try_emplace({before, after}, changes_.size());
    if (fresh)
      changes_.push_back({{}, before, after});
    changes_[it->second].cpus.push_back(cpu);
  }
  [[nodiscard]] std::vector<CpuChange> take() { return std::move(changes_); }

private:
  std::vector<CpuChange> changes_;
  std::map<std::pair<std::string, std::string>, std::size_t> index_;
};

/// Both lists are by number: calls `each` with every CPU, null where it is not in one of them.
template <class Each>
void for_each_cpu(const std::vector<CpuVerdict> &before, const std::vector<CpuVerdict> &after, Each each) {
  auto b = before.begin();
  auto a = after.begin();
  while (b != before.end() || a != after.end()) {
    const bool in_before = a == after.end() || (b != before.end() && b->cpu <= a->cpu);
    const bool in_after = b == before.end() || (a != after.end() && a->cpu <= b->cpu);
    each(in_before ? &*b : nullptr, in_after ? &*a : nullptr);
    b += in_before ? 1 : 0;
    a += in_after ? 1 : 0;
  }
}

void compare_cpus(const RunResult &before, const RunResult &after, Comparison &made) {
  Groups outcomes;
  Groups attempts;
  for_each_cpu(before.cpus, after.cpus, [&](const CpuVerdict *b, const CpuVerdict *a) {
    const std::string was = b == nullptr ? std::string(kNotThere) : outcome_text(*b);
    const std::string is = a == nullptr ? std::string(kNotThere) : outcome_text(*a);
    if (was != is)
      outcomes.add(b == nullptr ? a->cpu : b->cpu, was, is);
    else if (b->attempts != a->attempts)
      attempts.add(b->cpu, counted(b->attempts, "attempt"), counted(a->attempts, "attempt"));
  });
  made.outcomes = outcomes.take();
  made.attempts = attempts.take();
}

std::vector<NamedChange> compare_settings(const RunResult &before, const RunResult &after) {
  std::vector<NamedChange> changes;
  const auto add = [&](std::string_view what, const std::string &was, const std::string &is) {
    if (was != is)
      changes.push_back({std::string(what), was.empty() ? "none" : was, is.empty() ? "none" : is, {}});
  };
  add("scenario", before.scenario, after.scenario);
  add("backend", before.backend, after.backend);
  add("strategy", before.strategy, after.strategy);
  add("seed", std::to_string(before.seed), std::to_string(after.seed));
  if (before.host != after.host)
    changes.push_back({"host", "one", "another", {}});
  return changes;
}

std::vector<NamedChange> compare_invariants(const RunResult &before, const RunResult &after) {
  std::vector<NamedChange> changes;
  const auto add = [&](const InvariantResult *was, const InvariantResult *is) {
    if (holds_text(was) == holds_text(is))
      return;
    const InvariantResult *telling = is != nullptr && is->holds != true ? is : was;
    changes.push_back({is != nullptr ? is->name : was->name, holds_text(was), holds_text(is),
                       telling == nullptr ? std::string{} : telling->evidence});
  };
  std::map<std::string_view, const InvariantResult *> left; // of those after
  for (const InvariantResult &is : after.invariants)
    left.emplace(is.name, &is);
  for (const InvariantResult &was : before.invariants) {
    const auto is = left.find(was.name);
    add(&was, is == left.end() ? nullptr : is->second);
    if (is != left.end())
      left.erase(is);
  }
  for (const auto &[name, is] : left)
    add(nullptr, is);
  return changes;
}

std::vector<CpuChange> compare_faults(const RunResult &before, const RunResult &after) {
  const auto key = [](const FaultResult &fault) {
    return std::tuple(fault.fault, fault.cpu, fault.at, fault.action);
  };
  std::map<decltype(key(FaultResult{})), std::uint64_t> fired;
  for (const FaultResult &fault : before.faults)
    fired[key(fault)] = fault.fired;
  Groups changes;
  for (const FaultResult &fault : after.faults)
    if (const auto was = fired.find(key(fault)); was != fired.end() && was->second != fault.fired) {
      const std::string what = fmt::format("{} at {} fired ", fault.action, fault.at);
      changes.add(fault.cpu, what + std::to_string(was->second), std::to_string(fault.fired));
    }
  return changes.take();
}

Latencies latencies_of(const RunResult &run) {
  std::vector<const CpuVerdict *> cpus;
  for (const CpuVerdict &cpu : run.cpus)
    if (cpu.cpu != 0) // the control CPU brings itself nowhere
      cpus.push_back(&cpu);
  return vmm::latencies_of(cpus);
}

std::vector<PointChange> compare_points(const RunResult &before, const RunResult &after) {
  const Latencies was = latencies_of(before);
  const Latencies is = latencies_of(after);
  std::vector<PointChange> changes{{"kick", was.points[0], is.points[0]}};
  for (std::size_t i = 0; i < protocol::kPointCount; ++i)
    changes.push_back({protocol::kPoints[i].name, was.ways[i], is.ways[i]});
  std::erase_if(changes, [](const PointChange &c) { return c.before.count == 0 && c.after.count == 0; });
  return changes;
}

} // namespace

std::optional<double> percent_of(std::optional<double> before, std::optional<double> after) {
  if (!before || !after || *before <= 0)
    return std::nullopt;
  return (*after - *before) / *before * 100;
}

std::optional<double> PointChange::percent() const {
  if (before.count == 0 || after.count == 0)
    return std::nullopt;
  return percent_of(before.median, after.median);
}

std::optional<bool> PointChange::is_beyond() const {
  if (before.count < 2 || after.count < 2)
    return std::nullopt;
  return after.median < before.min || after.median > before.max;
}

std::optional<LastActive> last_active_of(const RunResult &run) {
  const CpuVerdict *last = nullptr;
  const auto active = [](const CpuVerdict &cpu) { return cpu.points.arrived.back(); };
  for (const CpuVerdict &cpu : run.cpus)
    if (cpu.cpu != 0 && active(cpu) && (last == nullptr || *active(cpu) > *active(*last)))
      last = &cpu;
  if (last == nullptr)
    return std::nullopt;
  LastActive made{.cpu = last->cpu, .active_us = *active(*last), .stretches = {}};
  double from = 0;
  for (std::size_t i = 0; i < made.stretches.size(); ++i)
    if (const auto us = milestone_us(last->points, i == 0 ? 0 : 2 * i - 1)) {
      made.stretches[i] = std::max(*us - from, 0.0);
      from = *us;
    }
  return made;
}

bool Comparison::outcome_differs() const {
  return verdict || !outcomes.empty() || std::ranges::any_of(invariants, [](const NamedChange &change) {
           return change.before == "broken" || change.after == "broken";
         });
}

Comparison compare(const RunResult &before, const RunResult &after) {
  Comparison made;
  made.settings = compare_settings(before, after);
  compare_cpus(before, after, made);
  made.verdict = before.verdict != after.verdict;
  made.invariants = compare_invariants(before, after);
  made.faults = compare_faults(before, after);
  made.points = compare_points(before, after);
  made.last_before = last_active_of(before);
  made.last_after = last_active_of(after);
  return made;
}

} // namespace reveille::vmm
