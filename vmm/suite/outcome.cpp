#include "vmm/suite/outcome.hpp"

#include "vmm/report/style.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace reveille::vmm {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestWord = 300; // of what a process said last

/// What a result says of its run.
struct Claim {
  SuiteVerdict verdict;
  std::vector<std::string> findings;
};

std::string string_at(const Json &json, const char *key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

/// What is not as it should be: the differences, then the broken invariants.
std::vector<std::string> findings_of(const Json &result) {
  std::vector<std::string> findings;
  if (const auto list = result.find("differences"); list != result.end() && list->is_array())
    for (const Json &difference : *list)
      if (difference.is_string())
        findings.push_back(difference.get<std::string>());
  if (const auto list = result.find("invariants"); list != result.end() && list->is_array())
    for (const Json &invariant : *list)
      if (invariant.is_object() && invariant.value("holds", Json()) == Json(false))
        findings.push_back(
            fmt::format("{}: {}", string_at(invariant, "name"), string_at(invariant, "evidence")));
  return findings;
}

/// Reads a result, without its CPUs: there may be a hundred thousand of them.
std::optional<Claim> read_result(const std::string &text) {
  const auto keep = [](int depth, Json::parse_event_t event, const Json &value) {
    return event != Json::parse_event_t::key || depth != 1 || (value != "cpus" && value != "online");
  };
  const Json result = Json::parse(text, keep, false);
  if (!result.is_object() || result.value("schema", Json()) != Json(1))
    return std::nullopt;
  const auto row = std::ranges::find(kSuiteVerdicts, string_at(result, "verdict"), &SuiteVerdictRow::name);
  if (row == kSuiteVerdicts.end() || result.value("exit", Json()) != Json(static_cast<int>(row->exit)))
    return std::nullopt;
  return Claim{row->verdict,
               row->verdict == SuiteVerdict::kPass ? std::vector<std::string>{} : findings_of(result)};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return text.substr(first, last == std::string_view::npos ? 0 : last - first + 1);
}

std::string first_line(std::string_view text) {
  text = trimmed(text);
  return std::string(text.substr(0, std::min(text.find_first_of("\r\n"), kLongestWord)));
}

std::string last_line(std::string_view text) {
  text = trimmed(text);
  const std::size_t end_of_line = text.find_last_of("\r\n");
  return std::string(text.substr(end_of_line == std::string_view::npos ? 0 : end_of_line + 1, kLongestWord));
}

std::string how_it_ended(const ChildStatus &status) {
  if (status.exited)
    return fmt::format("it exited with status {}", status.number);
  const char *about = ::sigdescr_np(status.number);
  return fmt::format("signal {} ended it ({})", status.number, about == nullptr ? "unknown" : about);
}

bool is_status_of_no_run(int number) {
  return number == static_cast<int>(ExitStatus::kUsage) ||
         number == static_cast<int>(ExitStatus::kUnsupported) ||
         number == static_cast<int>(ExitStatus::kInterrupted);
}

/// Why the result of a process that ended does not count.
Error what_is_wrong(const JobEnd &end, const std::optional<Claim> &claim) {
  const bool wrote = !trimmed(end.out).empty();
  if (end.status.exited && !wrote && is_status_of_no_run(end.status.number) && !trimmed(end.err).empty())
    return {static_cast<ExitStatus>(end.status.number), first_line(end.err)};
  std::string message = how_it_ended(end.status);
  if (claim)
    message += fmt::format(", and its result says {}", row_of(claim->verdict).name);
  else if (end.out_cut)
    message += ", and its result is too long to be one";
  else
    message += wrote ? ", and what it wrote is not a result" : ", and it wrote no result";
  if (const std::string last = last_line(end.err); !last.empty())
    message += fmt::format("; the last it said: {}", last);
  if (end.how == JobEnd::How::kInterrupted)
    return {ExitStatus::kInterrupted, "interrupted: " + message};
  return {ExitStatus::kBroken, "the run broke down: " + message};
}

SuiteVerdict verdict_of(ExitStatus status) {
  const auto row = std::ranges::find(kSuiteVerdicts, status, &SuiteVerdictRow::exit);
  return row == kSuiteVerdicts.end() ? SuiteVerdict::kBroken : row->verdict;
}

} // namespace

Outcome outcome_of(const RunName &run, const Error &error) {
  Outcome outcome;
  outcome.verdict = verdict_of(error.status);
  std::string line = error.message;
  std::ranges::replace(line, '\n', ' ');
  outcome.difference = line;
  outcome.findings = {line};
  outcome.json = trimmed(result_json_failed(run, error));
  return outcome;
}

Outcome outcome_of(const RunName &run, JobEnd end) {
  Outcome outcome;
  const bool has_ended = end.how == JobEnd::How::kEnded || end.how == JobEnd::How::kInterrupted;
  const auto claim = has_ended && !end.out_cut ? read_result(end.out) : std::nullopt;
  if (!has_ended) {
    outcome = outcome_of(run, Error{end.failure, end.why});
  } else if (claim && end.status.exited &&
             end.status.number == static_cast<int>(row_of(claim->verdict).exit)) {
    outcome.verdict = claim->verdict;
    outcome.own = true;
    outcome.findings = claim->findings;
    outcome.difference = claim->findings.empty() ? "" : claim->findings.front();
    outcome.json = trimmed(end.out);
  } else {
    outcome = outcome_of(run, what_is_wrong(end, claim));
  }
  outcome.hung = end.how == JobEnd::How::kHung;
  outcome.log = std::move(end.err);
  outcome.seconds = end.seconds;
  return outcome;
}

} // namespace reveille::vmm
