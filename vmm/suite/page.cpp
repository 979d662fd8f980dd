#include "vmm/suite/page.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/html/page.hpp"
#include "vmm/html/template.hpp"
#include "vmm/report/style.hpp"
#include "vmm/report/words.hpp"
#include "vmm/report/write_output.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/suite/command_line.hpp"
#include "vmm/suite/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>

namespace reveille::vmm {
namespace {

using Json = nlohmann::ordered_json;

std::string pages_folder(const SuiteOptions &options) {
  return std::filesystem::path(options.report).replace_extension().string();
}

/// A path as an address that is relative whatever its first name is.
std::string link_to(const std::string &path) {
  std::string link = "./";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') || c == '/' || c == '.' || c == '-' || c == '_';
    link += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return link;
}

Json places_json(const std::vector<MatrixPlace> &places) {
  Json rows = Json::array();
  for (const MatrixPlace &place : places)
    rows.push_back(place.name);
  return rows;
}

Json actions_json() {
  Json rows = Json::array();
  for (const ActionRow &action : all_actions())
    rows.push_back({{"name", action.name}, {"about", action.about}});
  return rows;
}

/// For each place a row with a number for each action: 0 nowhere, 1 elsewhere, 2 here.
Json reach_json(const std::vector<MatrixPlace> &places, Backend backend) {
  Json rows = Json::array();
  for (const MatrixPlace &place : places) {
    Json row = Json::array();
    for (const ActionRow &action : all_actions())
      row.push_back(static_cast<int>(reach_of(place, action.action, backend)));
    rows.push_back(std::move(row));
  }
  return rows;
}

Json cells_json(const Matrix &matrix) {
  Json rows = Json::array();
  for (const auto &[at, cell] : matrix.cells())
    rows.push_back({{"place", at.first},
                    {"action", at.second},
                    {"runs", cell.runs},
                    {"outcomes", cell.outcomes},
                    {"not_fired", cell.not_fired}});
  return rows;
}

Json counts_json(const Tally &tally, std::size_t planned) {
  Json counts = Json::object();
  for (const SuiteVerdictRow &row : kSuiteVerdicts)
    counts[std::string(row.name)] = tally.counts.of(row.verdict);
  counts["not run"] = planned - tally.counts.all();
  return counts;
}

std::string clean(const std::string &text) { return printable(text); }

} // namespace

std::string page_file(const SuiteOptions &options, const std::string &file, std::uint64_t seed) {
  return file_of_run(options, pages_folder(options), file, seed, ".html");
}

void SuitePage::add(const SuiteOptions &options, const RunName &name, const Outcome &outcome) {
  const std::filesystem::path page = page_file(options, name.file, name.seed);
  std::error_code error;
  const bool is_there = std::filesystem::is_regular_file(page, error);
  const std::filesystem::path from = std::filesystem::path(options.report).parent_path();
  matrix_.add(runs_.size(), outcome.json);
  runs_.push_back(
      {.name = name,
       .verdict = outcome.verdict,
       .seconds = outcome.seconds,
       .findings = outcome.findings,
       .again = command_of(options, name.file, name.seed),
       .link = is_there ? link_to(page.lexically_relative(from.empty() ? "." : from).string()) : ""});
}

std::string SuitePage::without_page() const {
  if (too_large_ == 0)
    return {};
  return fmt::format("No page of {}: one has room for {} CPUs; the traces have room for all (--trace).",
                     counted(too_large_, "run"), kMostPageCpus);
}

std::string SuitePage::text(const SuiteOptions &options, const Tally &tally, std::size_t planned,
                            double seconds) const {
  Json runs = Json::array();
  for (const Run &run : runs_) {
    Json findings = Json::array();
    for (const std::string &finding : run.findings)
      findings.push_back(clean(finding));
    runs.push_back({{"file", clean(run.name.file)},
                    {"title", clean(run.name.title)},
                    {"seed", run.name.seed},
                    {"verdict", row_of(run.verdict).name},
                    {"seconds", std::round(run.seconds * 1000) / 1000},
                    {"findings", std::move(findings)},
                    {"again", clean(run.again)},
                    {"page", run.link}});
  }
  const std::string_view verdict = row_of(tally.verdict()).name;
  const Json data = {{"verdict", verdict},
                     {"backend", name(options.backend)},
                     {"repeat", options.repeat},
                     {"shard", fmt::format("{}/{}", options.shard.index, options.shard.of)},
                     {"seconds", std::round(seconds * 1000) / 1000},
                     {"counts", counts_json(tally, planned)},
                     {"without_page", without_page()},
                     {"places", places_json(matrix_.places())},
                     {"actions", actions_json()},
                     {"reach", reach_json(matrix_.places(), options.backend)},
                     {"cells", cells_json(matrix_)},
                     {"runs", std::move(runs)}};
  return fill_template(suite_page::kTemplate,
                       {{"verdict", html_text(verdict)},
                        {"style", suite_page::kStyle},
                        {"script", suite_page::kScript},
                        {"data", script_json(data.dump(-1, ' ', false, Json::error_handler_t::replace))}});
}

Result<void> SuitePage::write(const SuiteOptions &options, const Tally &tally, std::size_t planned,
                              double seconds) const {
  return write_output(options.report, text(options, tally, planned, seconds));
}

} // namespace reveille::vmm
