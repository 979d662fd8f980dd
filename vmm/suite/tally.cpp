#include "vmm/suite/tally.hpp"

#include <algorithm>
#include <numeric>

namespace reveille::vmm {
namespace {

constexpr std::array kWorstFirst{SuiteVerdict::kInterrupted, SuiteVerdict::kBroken,
                                 SuiteVerdict::kInvalid,     SuiteVerdict::kFail,
                                 SuiteVerdict::kUnsupported, SuiteVerdict::kPass};
static_assert(kWorstFirst.size() == kSuiteVerdicts.size());

} // namespace

std::size_t Counts::all() const { return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0}); }

std::size_t Counts::failed() const {
  std::size_t sum = 0;
  for (const SuiteVerdictRow &row : kSuiteVerdicts)
    sum += row.failed ? of(row.verdict) : 0;
  return sum;
}

SuiteVerdict Counts::worst() const {
  const auto it =
      std::ranges::find_if(kWorstFirst, [this](SuiteVerdict verdict) { return of(verdict) != 0; });
  return it == kWorstFirst.end() ? SuiteVerdict::kPass : *it;
}

void Tally::add(std::size_t run, const RunSpec &spec, const Outcome &outcome) {
  counts.add(outcome.verdict);
  ScenarioTally &scenario = scenarios[spec.file];
  scenario.counts.add(outcome.verdict);
  scenario.seconds += outcome.seconds;
  if (row_of(outcome.verdict).failed)
    failures.push_back({run, spec, outcome.verdict, outcome.difference});
}

std::vector<const Failure *> Tally::failures_in_order() const {
  std::vector<const Failure *> list;
  for (const Failure &failure : failures)
    list.push_back(&failure);
  std::ranges::sort(list, {}, &Failure::run);
  return list;
}

} // namespace reveille::vmm
