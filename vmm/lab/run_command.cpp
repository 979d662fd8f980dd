#include "vmm/lab/run_command.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/html/page.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/interrupt.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/lab/machine_stock.hpp"
#include "vmm/report/json.hpp"
#include "vmm/report/junit_run.hpp"
#include "vmm/report/progress.hpp"
#include "vmm/report/text.hpp"
#include "vmm/report/words.hpp"
#include "vmm/report/write_output.hpp"
#include "vmm/sim/simulation.hpp"
#include "vmm/trace/trace.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <tuple>

namespace reveille::vmm {

namespace {

void set_up_log(spdlog::level::level_enum level) {
  auto log = std::make_shared<spdlog::logger>("vmm", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("vmm: %l: %v");
  log->set_level(level);
  spdlog::set_default_logger(std::move(log));
}

/// What programs read of a run.
struct Results {
  std::string json;
  std::string junit;
  std::string trace;
  std::string report;
};

/// Writes each where it was asked for, also when another could not be written.
int write_results(const RunOptions &options, const Results &results, ExitStatus status) {
  for (const auto &[path, text] :
       {std::tie(options.json, results.json), std::tie(options.junit, results.junit),
        std::tie(options.trace, results.trace), std::tie(options.report, results.report)})
    if (const Result<void> written = path.empty() ? Result<void>{} : write_output(path, text); !written) {
      fmt::print(stderr, "vmm: {}\n", printable(written.error().message));
      status = worse_of(status, written.error().status);
    }
  return static_cast<int>(status);
}

/// What a run has taken, by the host's clock.
double seconds_since(LabClock::time_point began) {
  return std::chrono::duration<double>(LabClock::now() - began).count();
}

/// Of a run that was none, without what it would have shown.
Results results_failed(const RunOptions &options, const RunName &run, const Error &error,
                       LabClock::time_point began) {
  return {result_json_failed(run, error),
          junit_of_run_failed(options.scenario, error, options.again, seconds_since(began)),
          {},
          {}};
}

int could_not_run(const RunOptions &options, const Error &error, LabClock::time_point began) {
  const Scenario &scenario = options.scenario;
  fmt::print(stderr, "vmm: {}\n", printable(error.message));
  Results results = results_failed(options, run_name(scenario), error, began);
  const std::string_view outcome = verdict_of_failure(error.status);
  if (!options.trace.empty())
    results.trace = trace_for(options.trace, {scenario, {}, {}, outcome});
  if (!options.report.empty()) {
    Verdict verdict;
    verdict.differences = {error.message};
    results.report = html_page({scenario, nullptr, {}, verdict, {}, outcome, error.status, options.again});
  }
  return write_results(options, results, error.status);
}

/// Judges what was seen, and tells it. `host`: what it was seen on, null if that does not matter.
int tell(const RunOptions &options, const HostInfo *host, const Observation &seen,
         LabClock::time_point began) {
  const Verdict verdict = judge(options.scenario, seen);
  print_report(options.people(), Style::for_stream(options.people()), options.scenario, seen, verdict);
  Results results{result_json(options.scenario, host, seen, verdict),
                  junit_of_run(options.scenario, verdict, options.again, seconds_since(began)),
                  {},
                  {}};
  if (!options.trace.empty() || !options.report.empty()) {
    const Story story = tell_story(options.scenario, seen, verdict);
    if (!options.trace.empty())
      results.trace = trace_for(options.trace, {options.scenario, seen, story, name(verdict.kind)});
    if (!options.report.empty())
      results.report = html_page(
          {options.scenario, host, seen, verdict, story, name(verdict.kind), verdict.exit, options.again});
  }
  return write_results(options, results, verdict.exit);
}

/// The status, unless a thread is still inside KVM: then nothing of the machine may be taken
/// down, and the process ends here.
int after(const Lab &lab, int status) {
  if (lab.all_joined())
    return status;
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(ExitStatus::kBroken));
}

/// What this host lacks a simulated machine does not need. It is never used unasked.
Error with_way_out(Error error) {
  if (error.status == ExitStatus::kUnsupported)
    error.message += "; or simulate it, without KVM: --backend sim";
  return error;
}

int run_on_kvm(const RunOptions &options, Progress &progress, MachineStock &stock) {
  const auto began = LabClock::now();
  auto lease = stock.take(options.scenario, options.guest_path, &InterruptGuard::interrupted);
  if (!lease)
    return could_not_run(options, with_way_out(lease.error()), began);
  if (InterruptGuard::interrupted())
    return could_not_run(options, {ExitStatus::kInterrupted, "interrupted before the guest was started"},
                         began);
  const bool at_zero = stock.start() == MachineStart::kZero;
  Lab lab(options.scenario, lease->machine(), {at_zero, [&] { stock.note_zero(options.scenario); }});
  auto seen = lab.run([&](const ProgressView &view) { progress.update(view); });
  progress.finish();
  if (!seen)
    return after(lab, could_not_run(options, with_way_out(seen.error()), began));
  seen->total_us = std::chrono::duration<double, std::micro>(LabClock::now() - began).count();
  seen->start = name(stock.start());
  if (seen->end == RunEnd::kComplete && lab.all_joined())
    lease->note_sound();
  return after(lab, tell(options, &lease->machine().host(), *seen, began));
}

int run_on_sim(const RunOptions &options, Progress &progress) {
  const auto began = LabClock::now();
  const sim::SimHooks hooks{&InterruptGuard::interrupted,
                            [&](const ProgressView &view) { progress.update(view); }};
  const auto seen = sim::simulate(options.scenario, hooks);
  progress.finish();
  return seen ? tell(options, nullptr, *seen, began) : could_not_run(options, seen.error(), began);
}

} // namespace

int write_unread(const RunOptions &options, const Error &error) {
  RunName run = run_name(options.scenario);
  run.strategy.reset();
  RunOptions known = options;
  known.trace.clear();
  known.report.clear();
  return write_results(known, results_failed(options, run, error, LabClock::now()), error.status);
}

int run_command(const RunOptions &options, MachineStock *stock) {
  set_up_log(options.log_level);
  const InterruptGuard guard;
  Style style = Style::for_stream(stderr);
  // What the log says goes there too, and would be drawn over.
  style.terminal = style.terminal && options.log_level >= spdlog::level::warn;
  Progress progress(stderr, style);
  if (options.scenario.backend == Backend::kSim)
    return run_on_sim(options, progress);
  MachineStock own(false);
  return run_on_kvm(options, progress, stock != nullptr ? *stock : own);
}

} // namespace reveille::vmm
