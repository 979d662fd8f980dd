// Where a fault can strike, as a table, and the reading of a fault's `at`.
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <tl/expected.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// What an action can do at a place.
enum class Fit : std::uint8_t {
  kNo,      ///< nowhere and never
  kYes,     ///< it goes there
  kBounded, ///< with a duration over 0
};

/// The kinds of places that differ in what they take.
enum class PlaceKind : std::uint8_t {
  kPoint,
  kKick,
  kPrepareStep,     ///< before a step that the control CPU does
  kPrepareStepDone, ///< after it
  kStep,            ///< before a step that the AP does
  kStepDone,        ///< after it
  kInit,            ///< the delivery of an INIT
  kSipi,            ///< of a SIPI
  kStop,            ///< of the INIT of giving up
  kWayDown,
  kInstruction,
  kExit,
  kTime,
  kFirmware,
};

struct PlaceRow {
  PlaceKind kind;
  std::string_view form; ///< "alive", "step:NAME"; NAME, N and MS stand for what follows
  std::string_view of;   ///< which of that form, where they differ: "PREPARE"
  std::string_view about;
};

[[nodiscard]] std::span<const PlaceRow> all_places();

/// The points in order, each with its ".released": the names that take part in reading.
[[nodiscard]] std::vector<std::string_view> point_place_names();

struct ParsedPlace {
  PlaceKind kind;
  FaultPlace place;
};

/// Reads NAME, NAME+0x10 or 0x1234. The error is a reason without a place.
[[nodiscard]] tl::expected<CodePlace, std::string> parse_code(std::string_view text);

/// Reads a step's name: its number among protocol::kGuestSteps. The error is a reason without a place.
[[nodiscard]] tl::expected<unsigned, std::string> parse_step_name(std::string_view text);

/// Reads an `at`. The error is a reason without a place.
[[nodiscard]] tl::expected<ParsedPlace, std::string> parse_place(std::string_view text);

/// What `action` can do at places of that kind, as the design has it; support.hpp says who does it.
[[nodiscard]] Fit fit(PlaceKind kind, Action action);

/// Whether two places are the same.
[[nodiscard]] bool same_place(const FaultPlace &a, const FaultPlace &b);

/// Whether the place is passed once, whatever the attempt and the cycle.
[[nodiscard]] bool comes_once(PlaceKind kind);

/// Whether CPU 0 can be struck there: where the place is not an AP's.
[[nodiscard]] bool takes_control_cpu(PlaceKind kind);

/// Whether it is the control CPU that passes the place, on an AP's behalf, and is held there.
[[nodiscard]] bool is_on_control_cpu(abi::Place place);
[[nodiscard]] bool is_on_control_cpu(const FaultPlace &place);

/// Where a place stands among those that a CPU passes in one cycle: a later one is greater.
/// The way down comes last, after active.released.
[[nodiscard]] unsigned order_of(abi::Place place);

/// The tables of docs/faults.md: places and steps.
[[nodiscard]] std::string places_as_markdown();
[[nodiscard]] std::string steps_as_markdown();

} // namespace reveille::vmm
