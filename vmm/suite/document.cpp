#include "vmm/suite/document.hpp"

#include "vmm/report/write_output.hpp"
#include "vmm/suite/command_line.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace reveille::vmm {
namespace {

using Json = nlohmann::ordered_json;

/// Seconds as microseconds, to a tenth.
double us(double seconds) { return std::round(seconds * 1e7) / 10; }

Json scenarios_json(const std::vector<std::string> &files, const Tally &tally) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Counts &counts = tally.scenarios[i].counts;
    if (counts.all() != 0)
      rows.push_back({{"scenario", files[i]},
                      {"runs", counts.all()},
                      {"failed", counts.failed()},
                      {"total_us", us(tally.scenarios[i].seconds)}});
  }
  return rows;
}

Json failures_json(const SuiteOptions &options, const std::vector<std::string> &files, const Tally &tally) {
  Json rows = Json::array();
  for (const Failure *failure : tally.failures_in_order()) {
    const std::string &file = files[failure->spec.file];
    rows.push_back({{"run", failure->run},
                    {"scenario", file},
                    {"seed", failure->spec.seed},
                    {"verdict", row_of(failure->verdict).name},
                    {"difference", failure->difference},
                    {"command", command_of(options, file, failure->spec.seed)}});
  }
  return rows;
}

} // namespace

std::string suite_summary_json(const SuiteOptions &options, const std::vector<std::string> &files,
                               const Tally &tally, std::size_t runs, double seconds) {
  Json summary = {{"exit", static_cast<int>(row_of(tally.verdict()).exit)}, {"runs", tally.counts.all()}};
  for (const SuiteVerdictRow &row : kSuiteVerdicts)
    summary[std::string(row.name)] = tally.counts.of(row.verdict);
  summary["not_run"] = runs - tally.counts.all();
  summary["seed"] = options.seed;
  summary["repeat"] = options.repeat;
  summary["shard"] = fmt::format("{}/{}", options.shard.index, options.shard.of);
  summary["total_us"] = us(seconds);
  summary["scenarios"] = scenarios_json(files, tally);
  summary["failures"] = failures_json(options, files, tally);
  // Names of files may be anything.
  return summary.dump(2, ' ', false, Json::error_handler_t::replace);
}

Result<void> write_suite_json(const std::string &path, Spool &results, const std::string &summary) {
  const auto runs = results.texts();
  if (!runs)
    return tl::unexpected(runs.error());
  std::vector<std::string_view> pieces{"{\n\"schema\": 1,\n\"runs\": ["};
  for (const std::string_view run : *runs) {
    pieces.emplace_back(pieces.size() == 1 ? "\n" : ",\n");
    pieces.push_back(run);
  }
  pieces.insert(pieces.end(), {"\n],\n\"summary\": ", summary, "\n}\n"});
  return write_output(path, pieces);
}

} // namespace reveille::vmm
