#include "vmm/report/junit_run.hpp"

#include "vmm/report/words.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

std::vector<std::string> findings_of(const Verdict &verdict) {
  std::vector<std::string> findings = verdict.differences;
  for (const InvariantVerdict &invariant : verdict.invariants)
    if (invariant.holds == false)
      findings.push_back(fmt::format("{}: {}", invariant.name, invariant.evidence));
  return findings;
}

std::string document_of(const Scenario &scenario, JunitCase of) {
  of.file = scenario.file;
  of.title = scenario.title;
  of.seed = scenario.seed;
  JunitSuite suite{.name = "vmm run",
                   .counts = {},
                   .seconds = of.seconds,
                   .timestamp = junit_timestamp(),
                   .properties = {{"backend", std::string(name(scenario.backend))},
                                  {"seed", std::to_string(scenario.seed)},
                                  {"again", of.again}}};
  suite.counts.add(of.kind);
  const JunitFrame frame = junit_frame(suite);
  return frame.before + junit_case(of) + frame.after;
}

} // namespace

std::string junit_of_run(const Scenario &scenario, const Verdict &verdict, const std::string &again,
                         double seconds) {
  JunitCase of;
  of.kind = junit_kind(name(verdict.kind), true);
  of.type = name(verdict.kind);
  of.findings = findings_of(verdict);
  of.again = again;
  of.seconds = seconds;
  return document_of(scenario, std::move(of));
}

std::string junit_of_run_failed(const Scenario &scenario, const Error &error, const std::string &again,
                                double seconds) {
  JunitCase of;
  of.kind = junit_kind(verdict_of_failure(error.status), false);
  of.type = verdict_of_failure(error.status);
  of.findings = {error.message};
  of.again = again;
  of.seconds = seconds;
  return document_of(scenario, std::move(of));
}

} // namespace reveille::vmm
