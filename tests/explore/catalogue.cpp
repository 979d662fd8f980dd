#include "tests/explore/catalogue.hpp"

#include "core/protocol/guest_steps.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/scenario/print.hpp"
#include "vmm/scenario/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace reveille::explore {

using vmm::Action;
using vmm::Duration;
using vmm::FaultSpec;
using vmm::PlaceRow;

namespace {

std::string replaced(std::string_view form, std::string_view what, std::string_view by) {
  std::string text(form);
  return text.replace(text.find(what), what.size(), by);
}

/// What stands for the open part of a form.
std::vector<std::string> names_of(const PlaceRow &row, const std::vector<double> &times_ms) {
  std::vector<std::string> names;
  if (row.form.find("POINT") != std::string_view::npos) {
    for (const protocol::PointRow &point : protocol::kPoints)
      names.push_back(replaced(row.form, "POINT", point.name));
  } else if (row.form.find("NAME") != std::string_view::npos) {
    for (const protocol::StepSpec &step : protocol::kGuestSteps)
      if (row.of.find(protocol::name(step.section)) != std::string_view::npos)
        names.push_back(replaced(row.form, "NAME", step.name));
  } else if (row.form.find("MS") != std::string_view::npos) {
    for (const double ms : times_ms)
      names.push_back(replaced(row.form, "MS", fmt::format("{}", ms)));
  } else {
    names.emplace_back(row.form);
  }
  return names;
}

} // namespace

namespace {

bool is_explored(vmm::PlaceKind kind) {
  return std::ranges::any_of(vmm::all_actions(), [kind](const vmm::ActionRow &row) {
    return vmm::performers(kind, row.action).has(vmm::Performer::kSim);
  });
}

} // namespace

std::vector<KnownPlace> known_places(const std::vector<double> &times_ms) {
  std::vector<KnownPlace> places;
  for (const PlaceRow &row : vmm::all_places()) {
    if (!is_explored(row.kind))
      continue;
    for (const std::string &name : names_of(row, times_ms)) {
      auto parsed = vmm::parse_place(name);
      if (!parsed || parsed->kind != row.kind)
        throw std::logic_error(fmt::format("the form \"{}\" of a place is new to the explorer", row.form));
      places.push_back({parsed->kind, parsed->place});
    }
  }
  return places;
}

namespace {

std::vector<double> durations_of(const vmm::ActionRow &row, vmm::Fit fit) {
  switch (row.duration) {
  case Duration::kNone:
    return {0};
  case Duration::kRequired:
    return {kShortMs};
  case Duration::kEndless:
    break;
  }
  return fit == vmm::Fit::kBounded ? std::vector<double>{kLongMs} : std::vector<double>{kLongMs, 0};
}

} // namespace

std::vector<FaultSpec> faults_at(const KnownPlace &place, vmm::CpuIndex cpu) {
  std::vector<FaultSpec> faults;
  if (cpu == 0 && !vmm::takes_control_cpu(place.kind))
    return faults;
  for (const vmm::ActionRow &row : vmm::all_actions()) {
    if (!vmm::performers(place.kind, row.action).has(vmm::Performer::kSim))
      continue;
    const vmm::Fit fit = vmm::fit(place.kind, row.action);
    const std::size_t variants = row.action == Action::kFlip ? std::size(kBits) : 1;
    const std::vector<double> durations = durations_of(row, fit);
    for (std::size_t i = 0; i < variants * durations.size(); ++i) {
      FaultSpec fault;
      fault.cpus = {cpu};
      fault.at = place.place;
      fault.action = row.action;
      fault.duration_ms = durations[i % durations.size()];
      fault.vector = row.action == Action::kInterrupt ? kStray : kPage;
      fault.percent = kPercent;
      fault.skew_us = kSkewUs;
      fault.bits = row.action == Action::kFlip ? kBits[i / durations.size()] : 0;
      if (vmm::takes(row, "to"))
        fault.to = cpu == 1 ? 2 : 1;
      faults.push_back(std::move(fault));
    }
  }
  return faults;
}

bool is_valid(const vmm::Scenario &scenario) {
  vmm::LoadOptions options;
  options.backend = vmm::Backend::kSim;
  return vmm::parse_scenario(vmm::to_toml(scenario), "a plan", options).has_value();
}

} // namespace reveille::explore
