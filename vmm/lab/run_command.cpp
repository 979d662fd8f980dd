#include "vmm/lab/run_command.hpp"

#include "vmm/judge/verdict.hpp"
#include "vmm/lab/interrupt.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/report/json.hpp"
#include "vmm/report/progress.hpp"
#include "vmm/report/text.hpp"
#include "vmm/report/write_json.hpp"

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

/// Writes the JSON where it was asked for. The status is that of the run, unless the result
/// could not be written.
int write_result(const RunOptions &options, const std::string &json, ExitStatus status) {
  if (options.json_path || options.json_to_stdout)
    if (const auto written = write_json(options.json_to_stdout ? "-" : *options.json_path, json); !written) {
      fmt::print(stderr, "vmm: {}\n", written.error().message);
      return static_cast<int>(written.error().status);
    }
  return static_cast<int>(status);
}

int could_not_run(const RunOptions &options, const Error &error) {
  fmt::print(stderr, "vmm: {}\n", error.message);
  return write_result(
      options,
      result_json_failed(options.scenario.file, options.scenario.title, error, options.scenario.seed),
      error.status);
}

/// Runs the lab with its progress on standard error.
Result<Observation> run_lab(Lab &lab) {
  Progress progress(stderr, Style::for_stream(stderr));
  auto seen = lab.run([&](const ProgressView &view) { progress.update(view.ms, view.words, view.held); });
  progress.finish();
  return seen;
}

/// The status, unless a thread is still inside KVM: then nothing of the machine may be taken
/// down, and the process ends here.
int after(const Lab &lab, int status) {
  if (lab.all_joined())
    return status;
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(ExitStatus::kBroken));
}

} // namespace

int run_command(const RunOptions &options) {
  const auto began = LabClock::now();
  set_up_log(options.log_level);
  const InterruptGuard guard;
  auto machine = Machine::build(options.scenario, options.guest_path, &InterruptGuard::interrupted);
  if (!machine)
    return could_not_run(options, machine.error());
  if (InterruptGuard::interrupted())
    return could_not_run(options, {ExitStatus::kInterrupted, "interrupted before the guest was started"});

  Lab lab(options.scenario, *machine);
  auto ran = run_lab(lab);
  if (!ran)
    return after(lab, could_not_run(options, ran.error()));
  Observation &seen = *ran;
  seen.total_us = std::chrono::duration<double, std::micro>(LabClock::now() - began).count();
  const Verdict verdict = judge(options.scenario, seen);

  print_report(options.people(), Style::for_stream(options.people()), options.scenario, seen, verdict);
  const std::string json = result_json(options.scenario, machine->host(), seen, verdict);
  return after(lab, write_result(options, json, verdict.exit));
}

} // namespace reveille::vmm
