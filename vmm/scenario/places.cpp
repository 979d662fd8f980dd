#include "vmm/scenario/places.hpp"

#include "core/protocol/guest_steps.hpp"
#include "vmm/scenario/nearest.hpp"
#include "vmm/scenario/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

namespace reveille::vmm {
namespace {

using enum PlaceKind;

constexpr double kMaxTimeMs = 3'600'000;

constexpr std::array kPlaces = std::to_array<PlaceRow>({
    // clang-format off
    {kPoint, "POINT", "", "just before the AP hands over at the point"},
    {kPoint, "POINT.released", "", "just after the CP let the AP go on; for active, just after the AP's own swap"},
    {kKick, "kick", "", "the CP, about to kick that CPU; the CP is held"},
    {kPrepareStep, "step:NAME", "PREPARE", "the CP, before a PREPARE step for that CPU; the CP is held"},
    {kPrepareStepDone, "step:NAME.done", "PREPARE", "the CP, after it; the CP is held"},
    {kStep, "step:NAME", "STARTING, ONLINE", "the AP, before a step of its own"},
    {kStepDone, "step:NAME.done", "STARTING, ONLINE", "the AP, after it"},
    {kWayDown, "dying", "", "just before the AP hands over at dying, its ONLINE steps undone"},
    {kWayDown, "dead", "", "just before the AP goes to its rest, its STARTING steps undone"},
    {kTime, "time:MS", "", "that long after time zero, the moment when the control side enters bring-up"},
    {kInit, "init", "", "the delivery of an INIT to that CPU"},
    {kSipi, "sipi", "", "the delivery of the first SIPI"},
    {kSipi, "sipi2", "", "the delivery of the second SIPI"},
    {kStop, "stop", "", "the delivery of the INIT of giving up"},
    {kInstruction, "symbol:NAME", "", "an instruction: NAME, or NAME+0x10"},
    {kInstruction, "addr:0xN", "", "an instruction"},
    {kExit, "exit:N", "", "the vCPU's Nth exit"},
    {kFirmware, "firmware", "", "before the guest starts"},
    // clang-format on
});

constexpr std::string_view kStepPrefix = "step:";
constexpr std::string_view kDoneSuffix = ".done";

/// What a name that is no place may have been meant to be.
std::vector<std::string_view> valid_names() {
  std::vector<std::string_view> names = point_place_names();
  names.insert(names.end(), {"kick", "step:NAME", "step:NAME.done", "dying", "dead", "time:MS"});
  for (const PlaceRow &row : kPlaces)
    if (std::ranges::find(names, row.form) == names.end() && !row.form.starts_with("POINT"))
      names.push_back(row.form);
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
  const auto number = parse_step_name(step);
  if (!number)
    return tl::make_unexpected(number.error());
  const bool prepare = protocol::kGuestSteps[*number].section == protocol::Section::kPrepare;
  const PlaceKind kind = prepare ? (done ? kPrepareStepDone : kPrepareStep) : (done ? kStepDone : kStep);
  return ParsedPlace{kind, FaultPlace{std::string(text), GuestPlace{abi::step_place(*number, done)}}};
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

template <class T> bool read_number(std::string_view text, T &value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_hex(std::string_view text, std::uint64_t &value) {
  return text.starts_with("0x") && read_number(text.substr(2), value, 16);
}

tl::expected<ParsedPlace, std::string> parse_instruction(std::string_view text) {
  auto code = parse_code(text.substr(text.find(':') + 1));
  if (!code)
    return tl::make_unexpected(code.error());
  if (code->symbol.empty() != text.starts_with("addr:"))
    return tl::make_unexpected(
        fmt::format("\"{}\" is neither like \"symbol:NAME+0x10\" nor like \"addr:0x1000\"", text));
  return ParsedPlace{kInstruction, FaultPlace{std::string(text), std::move(*code)}};
}

tl::expected<ParsedPlace, std::string> parse_exit(std::string_view text) {
  std::uint32_t number = 0;
  if (!read_number(text.substr(text.find(':') + 1), number) || number == 0)
    return tl::make_unexpected(fmt::format("\"{}\" is not an exit like \"exit:1\", the first", text));
  return ParsedPlace{kExit, FaultPlace{std::string(text), ExitPlace{number}}};
}

struct DeliveryName {
  std::string_view name;
  PlaceKind kind;
  Delivery what;
};
constexpr auto kDeliveries = std::to_array<DeliveryName>({{"init", kInit, Delivery::kInit},
                                                          {"sipi", kSipi, Delivery::kSipi},
                                                          {"sipi2", kSipi, Delivery::kSipi2},
                                                          {"stop", kStop, Delivery::kStop}});

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

tl::expected<CodePlace, std::string> parse_code(std::string_view text) {
  CodePlace code;
  if (read_hex(text, code.offset))
    return code;
  const std::size_t plus = text.find('+');
  code.symbol = text.substr(0, plus);
  const bool wrong_offset = plus != std::string_view::npos && !read_hex(text.substr(plus + 1), code.offset);
  if (wrong_offset || code.symbol.empty() || code.symbol.find_first_of(" \t:") != std::string::npos)
    return tl::make_unexpected(
        fmt::format("\"{}\" is no instruction: it must be like NAME, NAME+0x10 or 0x1000", text));
  return code;
}

tl::expected<unsigned, std::string> parse_step_name(std::string_view text) {
  const auto it = std::ranges::find(protocol::kGuestSteps, text, &protocol::StepSpec::name);
  if (it != protocol::kGuestSteps.end())
    return static_cast<unsigned>(it - protocol::kGuestSteps.begin());
  std::vector<std::string_view> names;
  names.reserve(protocol::kGuestSteps.size());
  for (const protocol::StepSpec &known : protocol::kGuestSteps)
    names.push_back(known.name);
  return tl::make_unexpected(fmt::format("unknown step \"{}\"{}", text, suggestion(text, names)));
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
  if (text.starts_with("symbol:") || text.starts_with("addr:"))
    return parse_instruction(text);
  if (text.starts_with("exit:"))
    return parse_exit(text);
  if (text == "firmware")
    return ParsedPlace{kFirmware, FaultPlace{std::string(text), FirmwarePlace{}}};
  const auto delivery = std::ranges::find(kDeliveries, text, &DeliveryName::name);
  if (delivery != kDeliveries.end())
    return ParsedPlace{delivery->kind, FaultPlace{std::string(text), DeliveryPlace{delivery->what}}};
  return tl::make_unexpected(fmt::format("unknown place \"{}\"{}", text, suggestion(text, valid_names())));
}

namespace {

/// What is done to a vCPU that stands somewhere.
bool is_for_stops(Action action) {
  using enum Action;
  return is_one_of(
      action, {kDelay, kStall, kFreeze, kCrash, kThrottle, kReset, kNmi, kInterrupt, kJump, kSpuriousSipi});
}

Fit yes_if(bool is) { return is ? Fit::kYes : Fit::kNo; }

} // namespace

Fit fit(PlaceKind kind, Action action) {
  using enum Action;
  switch (kind) {
  case kPoint:
    return yes_if(is_for_stops(action) || is_one_of(action, {kFlip, kStale, kGarbage}));
  case kTime:
  case kWayDown:
  case kStepDone:
  case kInstruction:
  case kExit:
    return yes_if(is_for_stops(action));
  case kStep:
    return yes_if(is_for_stops(action) || action == kFail);
  case kPrepareStep:
    if (action == kFail)
      return Fit::kYes;
    [[fallthrough]];
  case kKick:
  case kPrepareStepDone: // the CP is held, and must come back
    return action == kStall ? Fit::kBounded : yes_if(action == kDelay);
  case kInit:
    return yes_if(is_one_of(action, {kDelay, kDrop, kDuplicate, kRedirect, kEarlySipi, kLateInit}));
  case kSipi:
    return yes_if(is_one_of(action, {kDelay, kDrop, kDuplicate, kRedirect, kWrongVector}));
  case kStop:
    return yes_if(is_one_of(action, {kDelay, kDrop, kDuplicate, kRedirect}));
  case kFirmware:
    break;
  }
  return yes_if(is_one_of(action, {kGhost, kUnlisted, kDisabled, kSameId, kSwapId, kSkew}));
}

bool same_place(const FaultPlace &a, const FaultPlace &b) {
  return std::visit(
      [](const auto &one, const auto &other) {
        using One = std::decay_t<decltype(one)>;
        if constexpr (!std::is_same_v<One, std::decay_t<decltype(other)>>)
          return false;
        else if constexpr (std::is_same_v<One, GuestPlace>)
          return one.place == other.place;
        else if constexpr (std::is_same_v<One, TimePlace>)
          return one.ms == other.ms;
        else if constexpr (std::is_same_v<One, DeliveryPlace>)
          return one.what == other.what;
        else if constexpr (std::is_same_v<One, CodePlace>)
          return one == other;
        else if constexpr (std::is_same_v<One, ExitPlace>)
          return one.number == other.number;
        else
          return true;
      },
      a.where, b.where);
}

bool comes_once(PlaceKind kind) { return kind == kTime || kind == kExit || kind == kFirmware; }

bool takes_control_cpu(PlaceKind kind) { return kind == kTime || kind == kExit || kind == kInstruction; }

bool is_on_control_cpu(abi::Place place) {
  const auto step = step_of(place);
  return place == abi::Place::kKick || place == abi::Place::kStop ||
         (step && step->step->section == protocol::Section::kPrepare);
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
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.form, row.of, row.about, who_supports(row.kind));
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

} // namespace reveille::vmm
