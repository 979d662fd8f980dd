#include "vmm/lab/run_command.hpp"

#include "vmm/judge/verdict.hpp"
#include "vmm/lab/interrupt.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/report/json.hpp"
#include "vmm/report/junit_run.hpp"
#include "vmm/report/progress.hpp"
#include "vmm/report/text.hpp"
#include "vmm/report/write_json.hpp"
#include "vmm/sim/simulation.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace reveille::vmm {

namespace {

void set_up_log(spdlog::level::level_enum level) {
  auto log = std::make_shared<spdlog::logger>("vmm", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("vmm: %l: %v");
  log->set_level(level);
  spdlog::set_default_logger(std::move(log));
}

/// Writes the JSON and the JUnit XML where they were asked for. The status is that of the run, unless
/// one could not be written.
int write_results(const RunOptions &options, const std::string &json, const std::string &junit,
                  ExitStatus status) {
  Result<void> written;
  if (options.json_path || options.json_to_stdout)
    written = write_json(options.json_to_stdout ? "-" : *options.json_path, json);
  if (!options.junit.empty() && written)
    written = write_json(options.junit, junit);
  if (written)
    return static_cast<int>(status);
  fmt::print(stderr, "vmm: {}\n", written.error().message);
  return static_cast<int>(written.error().status);
}

/// What a run has taken, by the host's clock.
double seconds_since(LabClock::time_point began) {
  return std::chrono::duration<double>(LabClock::now() - began).count();
}

int could_not_run(const RunOptions &options, const Error &error, LabClock::time_point began) {
  const Scenario &scenario = options.scenario;
  fmt::print(stderr, "vmm: {}\n", error.message);
  return write_results(options,
                       result_json_failed(scenario.file, scenario.title, error, scenario.seed,
                                          std::string(name(scenario.backend))),
                       junit_of_run_failed(scenario, error, options.again, seconds_since(began)),
                       error.status);
}

/// Judges what was seen, and tells it. `host`: what it was seen on, null if that does not matter.
int tell(const RunOptions &options, const HostInfo *host, const Observation &seen,
         LabClock::time_point began) {
  const Verdict verdict = judge(options.scenario, seen);
  print_report(options.people(), Style::for_stream(options.people()), options.scenario, seen, verdict);
  return write_results(options, result_json(options.scenario, host, seen, verdict),
                       junit_of_run(options.scenario, verdict, options.again, seconds_since(began)),
                       verdict.exit);
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

int run_on_kvm(const RunOptions &options, Progress &progress) {
  const auto began = LabClock::now();
  auto machine = Machine::build(options.scenario, options.guest_path, &InterruptGuard::interrupted);
  if (!machine)
    return could_not_run(options, with_way_out(machine.error()), began);
  if (InterruptGuard::interrupted())
    return could_not_run(options, {ExitStatus::kInterrupted, "interrupted before the guest was started"},
                         began);
  Lab lab(options.scenario, *machine);
  auto seen = lab.run([&](const ProgressView &view) { progress.update(view); });
  progress.finish();
  if (!seen)
    return after(lab, could_not_run(options, with_way_out(seen.error()), began));
  seen->total_us = std::chrono::duration<double, std::micro>(LabClock::now() - began).count();
  const HostInfo host = machine->host();
  return after(lab, tell(options, &host, *seen, began));
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

int run_command(const RunOptions &options) {
  set_up_log(options.log_level);
  const InterruptGuard guard;
  Progress progress(stderr, Style::for_stream(stderr));
  return options.scenario.backend == Backend::kSim ? run_on_sim(options, progress)
                                                   : run_on_kvm(options, progress);
}

} // namespace reveille::vmm
