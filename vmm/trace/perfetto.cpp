#include "vmm/report/describe.hpp"
#include "vmm/report/faults.hpp"
#include "vmm/report/words.hpp"
#include "vmm/trace/trace.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace reveille::vmm {
namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kProcess = 1;
/// What took no time that was recorded is as long as that, microseconds: viewers tie arrows to slices, and
/// to none that is empty.
constexpr double kLeast = 0.1;

/// Microseconds, to a nanosecond.
double rounded(double us) { return std::round(us * 1000) / 1000; }

class Writer {
public:
  explicit Writer(const Traced &run) : run_(run) {}

  std::string write() && {
    text_ =
        "{\n\"displayTimeUnit\": \"ns\",\n\"otherData\": " + dumped(about_run()) + ",\n\"traceEvents\": [";
    add(metadata("process_name", 0, {{"name", "vmm: " + run_.scenario.title}}));
    for (const Track &track : run_.story.tracks)
      add(track);
    for (std::size_t i = 0; i < run_.story.arrows.size(); ++i)
      add(run_.story.arrows[i], i);
    return std::move(text_) + "\n]\n}\n";
  }

private:
  static std::string dumped(const Json &json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  void add(const Json &event) {
    text_ += first_ ? "\n" : ",\n";
    first_ = false;
    text_ += dumped(event);
  }

  [[nodiscard]] Json about_run() const {
    const Scenario &scenario = run_.scenario;
    return {{"scenario", scenario.file},
            {"title", scenario.title},
            {"backend", name(scenario.backend)},
            {"strategy", name(scenario.bringup.strategy)},
            {"seed", scenario.seed},
            {"verdict", run_.verdict}};
  }

  static Json metadata(std::string_view what, std::size_t thread, Json args) {
    return {{"ph", "M"}, {"pid", kProcess}, {"tid", thread}, {"name", what}, {"args", std::move(args)}};
  }

  /// A thread for a track, or for a lane of its faults. Returns its number.
  std::size_t thread(const std::string &named) {
    ++threads_;
    add(metadata("thread_name", threads_, {{"name", named}}));
    add(metadata("thread_sort_index", threads_, {{"sort_index", threads_}}));
    return threads_;
  }

  void add(const Track &track) {
    std::string named = fmt::format("CPU {}{}", track.cpu, track.control ? " as control CPU" : "");
    const std::size_t own =
        thread(named + (track.reason.empty() || track.control ? "" : ", " + track.reason));
    thread_of_.push_back(own);
    std::vector<double> ends; // of the slices that the next one is in
    for (std::size_t i = 0; i < track.slices.size(); ++i) {
      const Slice &slice = track.slices[i];
      ends.resize(slice.depth);
      const double next =
          i + 1 < track.slices.size() ? track.slices[i + 1].begin_us : slice.begin_us + kLeast;
      add(slice, std::min(next, ends.empty() ? next : ends.back()), own);
      ends.push_back(slice.end_us);
    }
    for (const Instant &instant : track.instants)
      add(instant, own);
    std::vector<std::size_t> lanes;
    for (const Hold &hold : track.holds) {
      if (hold.lane == lanes.size())
        lanes.push_back(thread(named + ", faults"));
      add(hold, lanes.at(hold.lane));
    }
  }

  static Json event(std::string_view phase, std::size_t thread, double us, std::string_view category,
                    const std::string &named) {
    return {{"ph", phase},       {"pid", kProcess}, {"tid", thread},
            {"ts", rounded(us)}, {"cat", category}, {"name", named}};
  }

  /// `room`: how long it may be made at most, if it is empty.
  void add(const Slice &slice, double room, std::size_t thread) {
    double end = slice.end_us;
    if (slice.begin_us == end && (slice.kind == SliceKind::kRelease || slice.kind == SliceKind::kKick))
      end = std::clamp(slice.begin_us + kLeast, slice.begin_us, std::max(room, slice.begin_us));
    Json json = event("X", thread, slice.begin_us, name(slice.kind), slice.name);
    json["dur"] = rounded(rounded(end) - rounded(slice.begin_us));
    Json &args = json["args"] = {{"cpu", slice.about}, {"attempt", slice.attempt}, {"end", name(slice.end)}};
    if (slice.error != 0)
      args["error"] = slice.error;
    add(json);
  }

  void add(const Instant &instant, std::size_t thread) {
    const bool fault = instant.firing != nullptr;
    Json json = event("i", thread, std::max(instant.at_us, 0.0), fault ? "fault" : "moment", instant.name);
    json["s"] = "t";
    Json &args = json["args"] = {{"attempt", instant.attempt}};
    if (fault) {
      args["cpu"] = instant.firing->cpu;
      args["fault"] = instant.firing->fault;
      args["at_us"] = rounded(instant.at_us);
      args["where"] = instant.firing->where;
    } else {
      args["cpu"] = instant.event->cpu;
      args["what"] = describe(*instant.event, run_.seen.steps);
    }
    add(json);
  }

  void add(const Hold &hold, std::size_t thread) {
    const double began = std::max(hold.began_us, 0.0); // viewers leave out what is before zero
    if (hold.ended_us <= began)
      return;
    const Firing &firing = *hold.firing;
    Json json = event("X", thread, began, "fault", fault_text(run_.scenario.faults.at(firing.fault)));
    json["dur"] = rounded(rounded(hold.ended_us) - rounded(began));
    json["args"] = {{"cpu", firing.cpu},       {"attempt", firing.attempt},
                    {"fault", firing.fault},   {"began_us", rounded(hold.began_us)},
                    {"end", end_text(firing)}, {"where", firing.where}};
    add(json);
  }

  void add(const Arrow &arrow, std::size_t id) {
    const std::string named(name(arrow.kind));
    const auto part = [&](std::string_view phase, std::size_t track, double us) {
      Json json = event(phase, thread_of_.at(track), us, "arrow", named);
      json["id"] = id + 1;
      if (phase != "s")
        json["bp"] = "e"; // it ends in the slice that is there then
      add(json);
    };
    part("s", arrow.from, arrow.from_us);
    if (arrow.claim_us && *arrow.claim_us < arrow.to_us)
      part("t", arrow.to, *arrow.claim_us);
    part("f", arrow.to, arrow.to_us);
  }

  const Traced &run_;
  std::string text_;
  bool first_ = true;
  std::size_t threads_ = 0;
  std::vector<std::size_t> thread_of_; ///< by track
};

} // namespace

std::string perfetto_json(const Traced &run) { return Writer(run).write(); }

} // namespace reveille::vmm
