#include "vmm/html/parts.hpp"
#include "vmm/report/describe.hpp"
#include "vmm/report/faults.hpp"
#include "vmm/report/words.hpp"

#include <cmath>

namespace reveille::vmm {
namespace {

/// [kind, name, begin, end, depth, CPU, attempt, how it ended, place, error]
Json slice_json(const Slice &slice, Names &names) {
  return Json::array({names.of(name(slice.kind)), names.of(slice.name), page_us(slice.begin_us),
                      page_us(slice.end_us), slice.depth, slice.about, slice.attempt,
                      names.of(name(slice.end)), names.of(slice.place), slice.error});
}

/// [name, time, attempt, in words]
Json instant_json(const Page &page, const Instant &instant, Names &names) {
  std::string words;
  if (instant.event != nullptr)
    words = describe(*instant.event, page.seen.steps);
  else
    words = instant.firing->where;
  return Json::array({names.of(instant.name), page_us(instant.at_us), instant.attempt, names.of(words),
                      instant.firing != nullptr});
}

/// [fault in words, began, ended, still holds, lane, how it ended, where the vCPU was, CPU]
Json hold_json(const Page &page, const Hold &hold, Names &names) {
  const Firing &firing = *hold.firing;
  return Json::array({names.of(fault_text(page.scenario.faults.at(firing.fault))), page_us(hold.began_us),
                      page_us(hold.ended_us), hold.open, hold.lane, names.of(end_text(firing)),
                      names.of(firing.where), firing.cpu});
}

} // namespace

std::size_t Names::of(std::string_view text) {
  const auto found = numbers_.find(text);
  if (found != numbers_.end())
    return found->second;
  texts_.emplace_back(text);
  return numbers_[texts_.back()] = texts_.size() - 1;
}

double page_us(double us) { return std::round(us * 1000) / 1000; }

Json tracks_json(const Page &page, Names &names) {
  Json tracks = Json::array();
  for (const Track &track : page.story.tracks) {
    Json slices = Json::array();
    for (const Slice &slice : track.slices)
      slices.push_back(slice_json(slice, names));
    Json instants = Json::array();
    for (const Instant &instant : track.instants)
      instants.push_back(instant_json(page, instant, names));
    Json holds = Json::array();
    for (const Hold &hold : track.holds)
      holds.push_back(hold_json(page, hold, names));
    tracks.push_back({{"cpu", track.cpu},
                      {"control", track.control},
                      {"outcome", name(track.outcome)},
                      {"reason", track.reason},
                      {"slices", std::move(slices)},
                      {"instants", std::move(instants)},
                      {"holds", std::move(holds)}});
  }
  return tracks;
}

Json arrows_json(const Page &page, Names &names) {
  Json arrows = Json::array();
  for (const Arrow &arrow : page.story.arrows)
    arrows.push_back(Json::array({names.of(name(arrow.kind)), arrow.from, arrow.to, page_us(arrow.from_us),
                                  arrow.claim_us ? Json(page_us(*arrow.claim_us)) : Json(nullptr),
                                  page_us(arrow.to_us), arrow.attempt, names.of(arrow.place)}));
  return arrows;
}

} // namespace reveille::vmm
