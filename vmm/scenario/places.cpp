#include "vmm/scenario/places.hpp"

#include "core/protocol/points.hpp"
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
    {kPoint, "POINT", "just before the AP hands over at the point", true},
    {kPoint, "POINT.released", "just after the CP let the AP go on; for active, just after the AP's own swap", true},
    {kKick, "kick", "the CP, about to kick that CPU; the CP is held", true},
    {kTime, "time:MS", "that long after time zero, the moment when the control side enters bring-up", true},
    {kStep, "step:NAME", "before a step", false},
    {kStep, "step:NAME.done", "after a step", false},
    {kDelivery, "init", "the delivery of an INIT to that CPU", false},
    {kDelivery, "sipi", "the delivery of the first SIPI", false},
    {kDelivery, "sipi2", "the delivery of the second SIPI", false},
    {kDelivery, "stop", "the delivery of the INIT of giving up", false},
    {kWayDown, "dying", "on the way down", false},
    {kWayDown, "dead", "on the way down", false},
    {kInstruction, "symbol:NAME", "an instruction: NAME, or NAME+0x10", false},
    {kInstruction, "addr:0xN", "an instruction", false},
    {kExit, "exit:N", "the vCPU's Nth exit", false},
    {kFirmware, "firmware", "before the guest starts", false},
    // clang-format on
});

/// What a name that is no place may have been meant to be.
std::vector<std::string_view> valid_names() {
  std::vector<std::string_view> names = point_place_names();
  names.insert(names.end(), {"kick", "time:MS"});
  return names;
}

std::optional<abi::Place> guest_place(std::string_view text) {
  if (text == "kick")
    return abi::Place::kKick;
  const std::vector<std::string_view> names = point_place_names();
  const auto it = std::ranges::find(names, text);
  if (it == names.end())
    return std::nullopt;
  return static_cast<abi::Place>(it - names.begin()); // as abi::Place numbers them
}
static_assert(static_cast<unsigned>(abi::Place::kActiveReleased) == 2 * protocol::kPointCount - 1);

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

/// The part of a form before what it leaves open: "step:" of "step:NAME.done".
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
  if (const auto place = guest_place(text))
    return ParsedPlace{text == "kick" ? kKick : kPoint, FaultPlace{std::string(text), GuestPlace{*place}}};
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
    return Fit::kYes;
  case kKick: // the CP is held, and must come back
    if (action == Action::kDelay)
      return Fit::kYes;
    return action == Action::kStall ? Fit::kBounded : Fit::kNo;
  case kDelivery:
  case kWayDown:
    return kind == kWayDown || action == Action::kDelay ? Fit::kLater : Fit::kNo;
  case kStep:
  case kInstruction:
  case kExit:
    return Fit::kLater;
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

std::string places_as_markdown() {
  std::string text = "| place | what | support |\n|---|---|---|\n";
  for (const PlaceRow &row : kPlaces)
    text +=
        fmt::format("| `{}` | {} | {} |\n", row.form, row.about, row.supported ? "yes" : "not supported yet");
  return text;
}

std::string fits_as_markdown() {
  std::string text = "| action | points, before and after | kick | time |\n|---|---|---|---|\n";
  const auto word = [](Fit f) {
    return f == Fit::kYes ? "yes" : f == Fit::kBounded ? "with a duration" : "no";
  };
  for (const ActionRow &row : all_actions())
    if (row.action)
      text += fmt::format("| `{}` | {} | {} | {} |\n", row.name, word(fit(kPoint, *row.action)),
                          word(fit(kKick, *row.action)), word(fit(kTime, *row.action)));
  return text;
}

} // namespace reveille::vmm
