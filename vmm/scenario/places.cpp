#include "vmm/scenario/places.hpp"

#include "core/protocol/guest_steps.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace reveille::vmm {
namespace {

using enum PlaceKind;

constexpr double kMaxTimeMs = 3'600'000;

constexpr std::array kPlaces = std::to_array<PlaceRow>({
    // clang-format off
    {kPoint, "POINT", "", "just before the AP hands over at the point", true},
    {kPoint, "POINT.released", "", "just after the CP let the AP go on; for active, just after the AP's own swap", true},
    {kKick, "kick", "", "the CP, about to kick that CPU; the CP is held", true},
    {kPrepareStep, "step:NAME", "PREPARE", "the CP, before a PREPARE step for that CPU; the CP is held", true},
    {kPrepareStepDone, "step:NAME.done", "PREPARE", "the CP, after it; the CP is held", true},
    {kStep, "step:NAME", "STARTING, ONLINE", "the AP, before a step of its own", true},
    {kStepDone, "step:NAME.done", "STARTING, ONLINE", "the AP, after it", true},
    {kWayDown, "dying", "", "just before the AP hands over at dying, its ONLINE steps undone", true},
    {kWayDown, "dead", "", "just before the AP goes to its rest, its STARTING steps undone", true},
    {kTime, "time:MS", "", "that long after time zero, the moment when the control side enters bring-up", true},
    {kDelivery, "init", "", "the delivery of an INIT to that CPU", false},
    {kDelivery, "sipi", "", "the delivery of the first SIPI", false},
    {kDelivery, "sipi2", "", "the delivery of the second SIPI", false},
    {kDelivery, "stop", "", "the delivery of the INIT of giving up", false},
    {kInstruction, "symbol:NAME", "", "an instruction: NAME, or NAME+0x10", false},
    {kInstruction, "addr:0xN", "", "an instruction", false},
    {kExit, "exit:N", "", "the vCPU's Nth exit", false},
    {kFirmware, "firmware", "", "before the guest starts", false},
    // clang-format on
});

constexpr std::string_view kStepPrefix = "step:";
constexpr std::string_view kDoneSuffix = ".done";

/// What a name that is no place may have been meant to be.
std::vector<std::string_view> valid_names() {
  std::vector<std::string_view> names = point_place_names();
  names.insert(names.end(), {"kick", "step:NAME", "step:NAME.done", "dying", "dead", "time:MS"});
  return names;
}

std::optional<abi::Place> named_place(std::string_view text) {
  const std::vector<std::string_view> names = point_place_names();
  const auto it = std::ranges::find(names, text);
  if (it == names.end())
    return std::nullopt;
  return static_cast<abi::Place>(it - names.begin()); // as abi::Place numbers them
}
static_assert(static_cast<unsigned>(abi::Place::kActiveReleased) == 2 * protocol::kPointCount - 1);

/// A step's place, taken apart.
struct StepPlace {
  const protocol::StepSpec *step;
  bool done;
};

std::optional<StepPlace> step_of(abi::Place place) {
  const unsigned first = static_cast<unsigned>(abi::Place::kFirstStep);
  const unsigned number = static_cast<unsigned>(place);
  if (number < first || (number - first) / 2 >= protocol::kGuestSteps.size())
    return std::nullopt;
  return StepPlace{&protocol::kGuestSteps[(number - first) / 2], (number - first) % 2 != 0};
}

tl::expected<ParsedPlace, std::string> parse_step(std::string_view text) {
  std::string_view step = text.substr(kStepPrefix.size());
  const bool done = step.ends_with(kDoneSuffix);
  if (done)
    step.remove_suffix(kDoneSuffix.size());
  const auto it = std::ranges::find(protocol::kGuestSteps, step, &protocol::StepSpec::name);
  if (it == protocol::kGuestSteps.end()) {
    std::vector<std::string_view> names;
    names.reserve(protocol::kGuestSteps.size());
    for (const protocol::StepSpec &known : protocol::kGuestSteps)
      names.push_back(known.name);
    return tl::make_unexpected(fmt::format("unknown step \"{}\"{}", step, suggestion(step, names)));
  }
  const bool prepare = it->section == protocol::Section::kPrepare;
  const PlaceKind kind = prepare ? (done ? kPrepareStepDone : kPrepareStep) : (done ? kStepDone : kStep);
  const auto number = static_cast<unsigned>(it - protocol::kGuestSteps.begin());
  return ParsedPlace{kind, FaultPlace{std::string(text), GuestPlace{abi::step_place(number, done)}}};
}

tl::expected<ParsedPlace, std::string> parse_time(std::string_view text) {
  const std::string_view number = text.substr(std::string_view("time:").size());
  double ms = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), ms);
  if (error != std::errc{} || end != number.data() + number.size())
    return tl::make_unexpected(fmt::format("\"{}\" is not a time like \"time:20\", in milliseconds", text));
  if (!(ms >= 0 && ms <= kMaxTimeMs))
    return tl::make_unexpected(fmt::format("\"{}\" is out of range: time:0..time:{}", text, kMaxTimeMs));
  return ParsedPlace{kTime, FaultPlace{std::string(text), TimePlace{ms}}};
}

/// The part of a form before what it leaves open: "symbol:" of "symbol:NAME".
std::string_view fixed_part(std::string_view form) { return form.substr(0, form.find(':') + 1); }

} // namespace

std::span<const PlaceRow> all_places() { return kPlaces; }

std::vector<std::string_view> point_place_names() {
  static const std::array<std::string, 2 *protocol::kPointCount> kNames = [] {
    std::array<std::string, 2 * protocol::kPointCount> names;
    for (std::size_t i = 0; i < protocol::kPointCount; ++i) {
      names[2 * i] = protocol::kPoints[i].name;
      names[2 * i + 1] = fmt::format("{}.released", protocol::kPoints[i].name);
    }
    return names;
  }();
  return {kNames.begin(), kNames.end()};
}

tl::expected<ParsedPlace, std::string> parse_place(std::string_view text) {
  const auto at = [&](PlaceKind kind, abi::Place place) {
    return ParsedPlace{kind, FaultPlace{std::string(text), GuestPlace{place}}};
  };
  if (const auto place = named_place(text))
    return at(kPoint, *place);
  if (text == "kick")
    return at(kKick, abi::Place::kKick);
  if (text == "dying" || text == "dead")
    return at(kWayDown, text == "dying" ? abi::Place::kDying : abi::Place::kDead);
  if (text.starts_with(kStepPrefix))
    return parse_step(text);
  if (text.starts_with("time:"))
    return parse_time(text);
  for (const PlaceRow &row : kPlaces) {
    if (row.supported)
      continue;
    const std::string_view fixed = fixed_part(row.form);
    if (text == row.form || (!fixed.empty() && text.starts_with(fixed) && text.size() > fixed.size()))
      return ParsedPlace{row.kind, std::nullopt};
  }
  return tl::make_unexpected(fmt::format("unknown place \"{}\"{}", text, suggestion(text, valid_names())));
}

Fit fit(PlaceKind kind, Action action) {
  switch (kind) {
  case kPoint:
  case kTime:
  case kWayDown:
  case kStepDone:
    return action == Action::kFail ? Fit::kNo : Fit::kYes;
  case kStep:
    return Fit::kYes;
  case kPrepareStep:
    if (action == Action::kFail)
      return Fit::kYes;
    [[fallthrough]];
  case kKick:
  case kPrepareStepDone: // the CP is held, and must come back
    if (action == Action::kDelay)
      return Fit::kYes;
    return action == Action::kStall ? Fit::kBounded : Fit::kNo;
  case kDelivery:
    return action == Action::kDelay ? Fit::kLater : Fit::kNo;
  case kInstruction:
  case kExit:
    return action == Action::kFail ? Fit::kNo : Fit::kLater;
  case kFirmware:
    break;
  }
  return Fit::kNo;
}

bool same_place(const FaultPlace &a, const FaultPlace &b) {
  if (a.where.index() != b.where.index())
    return false;
  if (const auto *time = std::get_if<TimePlace>(&a.where))
    return time->ms == std::get<TimePlace>(b.where).ms;
  return std::get<GuestPlace>(a.where).place == std::get<GuestPlace>(b.where).place;
}

bool takes_control_cpu(PlaceKind kind) { return kind == kTime || kind == kExit || kind == kInstruction; }

bool is_on_control_cpu(abi::Place place) {
  const auto step = step_of(place);
  return place == abi::Place::kKick || (step && step->step->section == protocol::Section::kPrepare);
}

bool is_on_control_cpu(const FaultPlace &place) {
  const auto *guest = std::get_if<GuestPlace>(&place.where);
  return guest != nullptr && is_on_control_cpu(guest->place);
}

/// Room for the steps of a section behind each of the fixed places.
unsigned order_of(abi::Place place) {
  constexpr unsigned kStride = abi::kPlaceCount;
  const auto after = [](unsigned fixed) { return (fixed + 1) * kStride; };
  const auto point = [after](protocol::Point p) { return after(1 + 2 * static_cast<unsigned>(p)); };
  if (const auto step = step_of(place)) {
    unsigned before = 0; // PREPARE comes before all
    if (step->step->section == protocol::Section::kStarting)
      before = point(protocol::Point::kAlive) + kStride;
    else if (step->step->section == protocol::Section::kOnline)
      before = point(protocol::Point::kIdle) + kStride;
    return before + 1 + static_cast<unsigned>(place) - static_cast<unsigned>(abi::Place::kFirstStep);
  }
  if (place == abi::Place::kKick)
    return after(0);
  if (place == abi::Place::kDying || place == abi::Place::kDead)
    return after(1 + 2 * protocol::kPointCount + (place == abi::Place::kDead ? 1 : 0));
  return after(1 + static_cast<unsigned>(place)); // a point's
}

std::string places_as_markdown() {
  std::string text = "| place | of | what | support |\n|---|---|---|---|\n";
  for (const PlaceRow &row : kPlaces)
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.form, row.of, row.about,
                        row.supported ? "yes" : "not supported yet");
  return text;
}

std::string steps_as_markdown() {
  std::string text = "| step | section | what | on several CPUs at once | undone by the CP with proof "
                     "|\n|---|---|---|---|---|\n";
  for (const protocol::StepSpec &step : protocol::kGuestSteps)
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", step.name, protocol::name(step.section), step.about,
                        step.concurrent ? "yes" : "no", step.remote_teardown ? "yes" : "no");
  return text;
}

std::string fits_as_markdown() {
  struct Column {
    std::string_view heading;
    PlaceKind kind;
  };
  constexpr auto kColumns = std::to_array<Column>({{"points, before and after", kPoint},
                                                   {"steps", kStep},
                                                   {"steps, done", kStepDone},
                                                   {"dying, dead", kWayDown},
                                                   {"kick", kKick},
                                                   {"PREPARE steps", kPrepareStep},
                                                   {"PREPARE steps, done", kPrepareStepDone},
                                                   {"time", kTime}});
  std::string text = "| action |";
  std::string rule = "\n|---|";
  for (const Column &column : kColumns) {
    text += fmt::format(" {} |", column.heading);
    rule += "---|";
  }
  text += rule + '\n';
  for (const ActionRow &row : all_actions()) {
    if (!row.action)
      continue;
    text += fmt::format("| `{}` |", row.name);
    for (const Column &column : kColumns) {
      const Fit fits = fit(column.kind, *row.action);
      text += fmt::format(" {} |", fits == Fit::kYes       ? "yes"
                                   : fits == Fit::kBounded ? "with a duration"
                                                           : "no");
    }
    text += '\n';
  }
  return text;
}

} // namespace reveille::vmm
