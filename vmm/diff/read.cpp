#include "vmm/diff/read.hpp"

#include "vmm/analysis/credible.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace reveille::vmm {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kSchema = 1;
constexpr std::uint64_t kMostOfAnything = UINT32_MAX; // attempts
constexpr std::size_t kDeepest = 16;                  // a result is 6 deep
constexpr std::array<std::string_view, 6> kVerdicts{"pass",        "fail",    "broken",
                                                    "unsupported", "invalid", "interrupted"};
constexpr std::array kOutcomes{CpuOutcome::kOnline, CpuOutcome::kFailed, CpuOutcome::kNotAttempted};

/// Takes values out of JSON by their keys. The first that is not what it should be is the complaint; what
/// is taken then means nothing.
class Reader {
public:
  [[nodiscard]] const std::string &complaint() const { return complaint_; }
  [[nodiscard]] bool is_sound() const { return complaint_.empty(); }

  /// What values are taken of from here on: "cpus[3]"; empty: the whole.
  void enter(std::string where) { where_ = std::move(where); }

  void wrong(std::string_view key, std::string_view what) {
    if (is_sound())
      complaint_ = fmt::format("{}{}{} {}", where_, where_.empty() || key.empty() ? "" : ".", key, what);
  }

  const Json &at(const Json &object, const char *key) {
    static const Json kNone;
    if (!object.is_object()) {
      wrong("", "is not an object");
      return kNone;
    }
    const auto it = object.find(key);
    if (it != object.end())
      return *it;
    wrong(key, "is missing");
    return kNone;
  }

  std::string text(const Json &object, const char *key, bool may_be_null = false) {
    const Json &value = at(object, key);
    if (value.is_string())
      return value.get<std::string>();
    if (!may_be_null || !value.is_null())
      wrong(key, "is not a string");
    return {};
  }

  std::uint64_t number(const Json &object, const char *key, std::uint64_t most) {
    const Json &value = at(object, key);
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= most)
      return value.get<std::uint64_t>();
    wrong(key, fmt::format("is not a whole number from 0 to {}", most));
    return 0;
  }

  std::optional<double> time(const Json &object, const char *key) {
    const Json &value = at(object, key);
    if (value.is_number() && is_credible(value.get<double>()))
      return value.get<double>();
    if (!value.is_null())
      wrong(key, "is not a time in microseconds, nor null");
    return std::nullopt;
  }

  const Json &list(const Json &object, const char *key) {
    static const Json kNone = Json::array();
    const Json &value = at(object, key);
    if (value.is_array())
      return value;
    wrong(key, "is not a list");
    return kNone;
  }

private:
  std::string where_;
  std::string complaint_;
};

CpuVerdict read_cpu(Reader &reader, const Json &row) {
  CpuVerdict cpu;
  cpu.cpu = static_cast<CpuIndex>(reader.number(row, "cpu", kMostSimulatedCpus - 1));
  const std::string outcome = reader.text(row, "outcome");
  const auto *const known =
      std::ranges::find(kOutcomes, outcome, [](CpuOutcome o) { return std::string(name(o)); });
  if (known == kOutcomes.end())
    reader.wrong("outcome", "is not one of online, failed, not-attempted");
  else
    cpu.outcome = *known;
  cpu.reason = reader.text(row, "reason", true);
  if (cpu.reason.empty() == (cpu.outcome == CpuOutcome::kFailed))
    reader.wrong("reason", "does not go with the outcome: a CPU has one if it failed");
  cpu.attempts = static_cast<std::uint32_t>(reader.number(row, "attempts", kMostOfAnything));
  const Json &points = reader.at(row, "points");
  cpu.points.kick = reader.time(points, "kick");
  for (const protocol::PointRow &point : protocol::kPoints)
    cpu.points.arrived[static_cast<std::size_t>(point.point)] =
        reader.time(points, std::string(point.name).c_str());
  return cpu;
}

FaultResult read_fault(Reader &reader, const Json &row) {
  return {.fault = reader.number(row, "fault", UINT64_MAX),
          .cpu = static_cast<CpuIndex>(reader.number(row, "cpu", kMostSimulatedCpus - 1)),
          .at = reader.text(row, "at"),
          .action = reader.text(row, "action"),
          .fired = reader.number(row, "fired", UINT64_MAX)};
}

InvariantResult read_invariant(Reader &reader, const Json &row) {
  InvariantResult invariant;
  invariant.name = reader.text(row, "name");
  invariant.evidence = reader.text(row, "evidence", true);
  const Json &holds = reader.at(row, "holds");
  if (holds.is_boolean())
    invariant.holds = holds.get<bool>();
  else if (!holds.is_null())
    reader.wrong("holds", "is not true, false or null");
  return invariant;
}

/// Every element of a list; `in` is where the list is: "runs[2].", or empty.
template <class Row>
std::vector<Row> read_list(Reader &reader, const std::string &in, const Json &object, const char *key,
                           Row (*read)(Reader &, const Json &)) {
  std::vector<Row> rows;
  for (const Json &row : reader.list(object, key)) {
    if (!reader.is_sound())
      break;
    reader.enter(fmt::format("{}{}[{}]", in, key, rows.size()));
    rows.push_back(read(reader, row));
  }
  reader.enter(in.substr(0, in.empty() ? 0 : in.size() - 1));
  return rows;
}

std::string read_difference(Reader &reader, const Json &row) {
  if (row.is_string())
    return row.get<std::string>();
  reader.wrong("", "is not a string");
  return {};
}

RunResult read_run(Reader &reader, const std::string &in, const Json &json) {
  RunResult run;
  run.scenario = reader.text(json, "scenario");
  run.verdict = reader.text(json, "verdict");
  if (std::ranges::find(kVerdicts, run.verdict) == kVerdicts.end())
    reader.wrong("verdict", "is none that there is");
  run.backend = reader.text(json, "backend");
  run.strategy = reader.text(json, "strategy", true);
  run.seed = reader.number(json, "seed", UINT64_MAX);
  run.host = reader.at(json, "host").dump(-1, ' ', false, Json::error_handler_t::replace);
  run.create_us = reader.time(json, "create_us");
  run.bringup_us = reader.time(json, "bringup_us");
  run.decided_us = reader.time(json, "decided_us");
  run.total_us = reader.time(json, "total_us");
  run.cpus = read_list(reader, in, json, "cpus", read_cpu);
  run.faults = read_list(reader, in, json, "faults", read_fault);
  run.invariants = read_list(reader, in, json, "invariants", read_invariant);
  run.differences = read_list(reader, in, json, "differences", read_difference);
  std::ranges::stable_sort(run.cpus, {}, &CpuVerdict::cpu);
  if (const auto twice = std::ranges::adjacent_find(run.cpus, {}, &CpuVerdict::cpu); twice != run.cpus.end())
    reader.wrong("cpus", fmt::format("has CPU {} twice", twice->cpu));
  return run;
}

std::vector<RunResult> read_runs(Reader &reader, const Json &json) {
  std::vector<RunResult> runs;
  std::map<std::pair<std::string, std::uint64_t>, std::size_t> known;
  for (const Json &row : reader.list(json, "runs")) {
    if (!reader.is_sound())
      break;
    const std::string where = fmt::format("runs[{}]", runs.size());
    reader.enter(where);
    runs.push_back(read_run(reader, where + '.', row));
    const auto [it, fresh] = known.try_emplace({runs.back().scenario, runs.back().seed}, runs.size() - 1);
    if (!fresh)
      reader.wrong("", fmt::format("is of the same scenario and seed as runs[{}]", it->second));
  }
  return runs;
}

/// How deep the text nests, whether it is JSON or not.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"')
      quoted = !quoted;
    else if (quoted)
      i += c == '\\' ? 1 : 0;
    else if (c == '[' || c == '{')
      deepest = std::max(deepest, ++depth);
    else if ((c == ']' || c == '}') && depth != 0)
      --depth;
  }
  return deepest;
}

tl::unexpected<Error> refuse(std::string_view name, std::string_view what) {
  return fail(ExitStatus::kUsage, fmt::format("{}: {}", name, printable(what)));
}

/// What is wrong with a text at that byte, counted from 1, that no JSON has there.
std::string no_json(std::string_view text, std::size_t byte) {
  if (byte > text.find_last_not_of(" \t\r\n") + 1)
    return "cut short: its JSON has no end";
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const std::size_t line_start = before.rfind('\n') + 1; // npos + 1 is 0
  return fmt::format("not JSON: line {}, byte {} of it", std::ranges::count(before, '\n') + 1,
                     before.size() - line_start + 1);
}

Result<Json> parse_json(std::string_view name, std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return refuse(name, "empty, where a result was to be");
  if (depth_of(text) > kDeepest)
    return refuse(name, "not a result: it nests deeper than one");
  try {
    return Json::parse(text);
  } catch (const Json::parse_error &error) {
    return refuse(name, no_json(text, error.byte));
  } catch (const Json::exception &) {
    return refuse(name, "not a result: a number in it is beyond what a double holds");
  }
}

} // namespace

Result<ResultFile> parse_results(std::string_view name, std::string_view text) {
  const auto json = parse_json(name, text);
  if (!json)
    return tl::unexpected(json.error());
  if (!json->is_object() || !json->contains("schema"))
    return refuse(name, "JSON, but not a result of vmm run or vmm suite: it has no schema");
  if (const Json &schema = json->at("schema"); schema != kSchema)
    return refuse(name, fmt::format("a result of schema {}; this vmm reads schema {}",
                                    schema.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 40),
                                    kSchema));
  ResultFile file;
  file.suite = json->contains("runs");
  Reader reader;
  if (file.suite)
    file.runs = read_runs(reader, *json);
  else
    file.runs.push_back(read_run(reader, "", *json));
  if (!reader.is_sound())
    return refuse(name, fmt::format("not a result: {}", reader.complaint()));
  return file;
}

} // namespace reveille::vmm
