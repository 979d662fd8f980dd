#include "vmm/analysis/blame.hpp"
#include "vmm/analysis/latencies.hpp"
#include "vmm/html/parts.hpp"
#include "vmm/report/faults.hpp"
#include "vmm/report/where_is_it.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMostStuck = 200; ///< CPUs with a paragraph of their own

/// For text that a browser lays out.
constexpr Style kPlain{.terminal = false, .colour = false, .width = 100};

Json spread_json(const Spread &spread) {
  return {{"count", spread.count},      {"min", page_us(spread.min)}, {"median", page_us(spread.median)},
          {"max", page_us(spread.max)}, {"min_cpu", spread.min_cpu},  {"max_cpu", spread.max_cpu}};
}

/// [CPU, how long it took] for each CPU that has both ends.
Json times_of(const Verdict &verdict, std::size_t stretch) {
  Json times = Json::array();
  for (const CpuVerdict &cpu : verdict.cpus) {
    const auto from = milestone_us(cpu.points, stretch);
    const auto to = milestone_us(cpu.points, stretch + 1);
    if (cpu.cpu != 0 && from && to && *to >= *from)
      times.push_back(Json::array({cpu.cpu, page_us(*to - *from)}));
  }
  return times;
}

} // namespace

Json stretches_json(const Page &page) {
  const Latencies latencies = latencies_of(page.verdict);
  Json rows = Json::array();
  for (std::size_t i = 0; i < latencies.stretches.size(); ++i)
    if (latencies.stretches[i].count != 0)
      rows.push_back({{"from", milestone_name(i)},
                      {"to", milestone_name(i + 1)},
                      {"spread", spread_json(latencies.stretches[i])},
                      {"times", times_of(page.verdict, i)}});
  return rows;
}

Json chain_json(const Page &page) {
  const Chain chain = critical_chain(page.scenario, page.seen, page.verdict);
  Json links = Json::array();
  for (const ChainLink &link : chain.links)
    links.push_back({{"cpu", link.cpu},
                     {"kind", name(link.kind)},
                     {"what", link_text(link, page.seen.steps)},
                     {"from", page_us(link.from_us)},
                     {"to", page_us(link.to_us)}});
  return {{"total", page_us(chain.total_us)}, {"gap", chain.gap}, {"links", std::move(links)}};
}

Json blame_json(const Page &page) {
  if (page.story.tracks.empty())
    return Json::array();
  const Blame blame = blame_of(critical_chain(page.scenario, page.seen, page.verdict), page.seen);
  Json parts = Json::array();
  for (const BlamePart &part : blame.parts)
    parts.push_back({{"name", part.name}, {"about", part.about}, {"us", page_us(part.us)}});
  return parts;
}

Json faults_json(const Page &page) { return faults_text(kPlain, page.scenario, page.seen); }

Json stuck_json(const Page &page) {
  Json rows = Json::array();
  if (page.story.tracks.empty())
    return rows;
  for (const CpuVerdict &cpu : page.verdict.cpus)
    if (cpu.outcome == CpuOutcome::kFailed)
      rows.push_back({{"cpu", cpu.cpu},
                      {"reason", cpu.reason},
                      {"text", rows.size() < kMostStuck
                                   ? where_is_it(kPlain, page.scenario, page.seen, cpu, Detail::kWhole)
                                   : std::string{}}});
  return rows;
}

} // namespace reveille::vmm
