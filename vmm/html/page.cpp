#include "vmm/html/page.hpp"

#include "vmm/html/files.hpp"
#include "vmm/html/parts.hpp"
#include "vmm/html/template.hpp"
#include "vmm/report/host_json.hpp"
#include "vmm/report/style.hpp"
#include "vmm/report/summary.hpp"
#include "vmm/report/words.hpp"
#include "vmm/scenario/print.hpp"

#include <utility>

namespace reveille::vmm {
namespace {

constexpr Style kPlain{.terminal = false, .colour = false, .width = 100};

Json us_or_null(std::optional<double> us) {
  return us && is_credible(*us) ? Json(page_us(*us)) : Json(nullptr);
}

/// [CPU, outcome, reason, attempts, kick, the points] of each CPU.
Json cpus_json(const Page &page, Names &names) {
  Json rows = Json::array();
  for (const CpuVerdict &cpu : page.verdict.cpus) {
    Json row = Json::array({cpu.cpu, names.of(name(cpu.outcome)), names.of(cpu.reason), cpu.attempts,
                            us_or_null(cpu.points.kick)});
    for (const auto &us : cpu.points.arrived)
      row.push_back(us_or_null(us));
    rows.push_back(std::move(row));
  }
  return rows;
}

Json invariants_json(const Verdict &verdict) {
  Json rows = Json::array();
  for (const InvariantVerdict &invariant : verdict.invariants)
    rows.push_back({{"name", invariant.name},
                    {"holds", invariant.holds ? Json(*invariant.holds) : Json(nullptr)},
                    {"evidence", invariant.evidence}});
  return rows;
}

Json data_of(const Page &page) {
  const Scenario &scenario = page.scenario;
  const bool began = !page.story.tracks.empty();
  Names names;
  Json data = {{"scenario", scenario.file},
               {"title", scenario.title},
               {"backend", name(scenario.backend)},
               {"strategy", name(scenario.bringup.strategy)},
               {"seed", scenario.seed},
               {"again", page.again},
               {"verdict", page.outcome},
               {"exit", static_cast<int>(page.exit)},
               {"host", page.host == nullptr ? Json(nullptr) : host_json(*page.host)},
               {"create_us", us_or_null(page.seen.create_us)},
               {"bringup_us", us_or_null(page.verdict.bringup_us)},
               {"decided_us", us_or_null(page.verdict.decided_us)},
               {"total_us", us_or_null(page.seen.total_us)},
               {"begin_us", page_us(page.story.begin_us)},
               {"end_us", page_us(page.story.end_us)},
               {"differences", page.verdict.differences},
               {"invariants", invariants_json(page.verdict)},
               {"advice", began ? advice(kPlain, scenario, page.seen, page.verdict) : ""},
               {"toml", to_toml(scenario)},
               {"faults", faults_json(page)},
               {"stuck", stuck_json(page)},
               {"stretches", stretches_json(page)},
               {"chain", chain_json(page)},
               {"blame", blame_json(page)}};
  data["cpus"] = cpus_json(page, names);
  data["tracks"] = tracks_json(page, names);
  data["arrows"] = arrows_json(page, names);
  data["names"] = names.all();
  return data;
}

} // namespace

std::string page_data(const Page &page) {
  return script_json(data_of(page).dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string html_page(const Page &page) {
  return fill_template(html::kTemplate, {{"title", html_text(page.scenario.title)},
                                         {"verdict", html_text(page.outcome)},
                                         {"style", html::kStyle},
                                         {"script", html::kScript},
                                         {"data", page_data(page)}});
}

} // namespace reveille::vmm
