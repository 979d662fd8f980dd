#include "vmm/suite/matrix.hpp"

#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/support.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace reveille::vmm {
namespace {

using Json = nlohmann::json;

/// Kinds of which each place has a row, and those places.
std::vector<std::string_view> each_of(PlaceKind kind) {
  switch (kind) {
  case PlaceKind::kPoint:
    return point_place_names();
  case PlaceKind::kWayDown:
    return {"dying", "dead"};
  case PlaceKind::kSipi:
    return {"sipi", "sipi2"};
  default:
    return {};
  }
}

std::string text_at(const Json &row, const char *key) {
  const auto it = row.find(key);
  return it != row.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

std::uint64_t number_at(const Json &row, const char *key) {
  const auto it = row.find(key);
  return it != row.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : UINT64_MAX;
}

/// What became of each CPU: its reason if it failed, else its outcome.
std::map<std::uint64_t, std::string> outcomes_of(const Json &result) {
  std::map<std::uint64_t, std::string> outcomes;
  for (const Json &cpu : result.value("cpus", Json::array()))
    if (cpu.is_object()) {
      const std::string reason = text_at(cpu, "reason");
      outcomes[number_at(cpu, "cpu")] = reason.empty() ? text_at(cpu, "outcome") : reason;
    }
  return outcomes;
}

} // namespace

std::vector<MatrixPlace> matrix_places() {
  std::vector<MatrixPlace> places;
  for (const MatrixColumn &column : matrix_columns()) {
    const std::vector<std::string_view> names = each_of(column.kind);
    for (const std::string_view name : names)
      places.push_back({name, column.kind, true});
    if (names.empty())
      places.push_back({column.heading, column.kind, false});
  }
  return places;
}

std::size_t place_of(const std::vector<MatrixPlace> &places, const std::string &at) {
  const auto parsed = parse_place(at);
  if (!parsed)
    return places.size();
  const auto it = std::ranges::find_if(places, [&](const MatrixPlace &place) {
    return place.kind == parsed->kind && (!place.exact || place.name == at);
  });
  return static_cast<std::size_t>(it - places.begin());
}

Reach reach_of(const MatrixPlace &place, Action action, Backend backend) {
  const Performers able = performers(place.kind, action);
  const bool on_kvm =
      able.has(Performer::kKernel) || able.has(Performer::kSplit) || able.has(Performer::kUser);
  if (backend == Backend::kSim ? able.has(Performer::kSim) : on_kvm)
    return Reach::kHere;
  return able.empty() ? Reach::kNowhere : Reach::kElsewhere;
}

void Matrix::add(std::size_t run, const std::string &result) {
  const Json json = Json::parse(result, nullptr, false);
  if (!json.is_object())
    return;
  const auto outcomes = outcomes_of(json);
  const auto actions = all_actions();
  for (const Json &fault : json.value("faults", Json::array())) {
    if (!fault.is_object())
      continue;
    const std::size_t place = place_of(places_, text_at(fault, "at"));
    const ActionRow *action = find_action(text_at(fault, "action"));
    if (place == places_.size() || action == nullptr)
      continue;
    MatrixCell &cell = cells_[{place, static_cast<std::size_t>(action - actions.data())}];
    if (cell.runs.empty() || cell.runs.back() != run)
      cell.runs.push_back(run);
    const auto outcome = outcomes.find(number_at(fault, "cpu"));
    if (number_at(fault, "fired") == 0)
      ++cell.not_fired;
    else
      ++cell.outcomes[outcome == outcomes.end() ? "not in the result" : outcome->second];
  }
}

} // namespace reveille::vmm
