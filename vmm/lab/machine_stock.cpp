#include "vmm/lab/machine_stock.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

namespace reveille::vmm {
namespace {

template <class Place> bool is_at(const FaultSpec &fault) {
  return std::holds_alternative<Place>(fault.at.where);
}

/// Whether a machine for it is like every other with those numbers of vCPUs and so on.
bool is_usual(const Scenario &scenario) {
  return std::ranges::none_of(scenario.faults, is_at<FirmwarePlace>);
}

/// Whether CPU 0 comes to time zero undisturbed: no fault strikes it by what it executes.
bool comes_to_zero_alone(const Scenario &scenario) {
  return std::ranges::none_of(scenario.faults, [](const FaultSpec &fault) {
    return (is_at<CodePlace>(fault) || is_at<ExitPlace>(fault)) && fault.strikes(0);
  });
}

/// Of a file, so that one that has been written anew is another one. Empty: there is none to look at.
std::string version_of(const std::string &path) {
  struct stat file = {};
  if (::stat(path.c_str(), &file) != 0)
    return "";
  return fmt::format("{}:{}:{}:{}.{}", file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec,
                     file.st_mtim.tv_nsec);
}

std::string kind_of(const Scenario &scenario, const std::string &guest_path) {
  const MachineSpec &spec = scenario.machine;
  return fmt::format("{} {} {} {} {} {} {}", spec.vcpus, spec.memory_mib, static_cast<int>(spec.apic),
                     static_cast<int>(spec.x2apic), spec.threads_per_core, version_of(guest_path),
                     guest_path);
}

} // namespace

MachineStock::~MachineStock() {
  if (destroyer_.joinable())
    destroyer_.join();
}

Result<MachineStock::Lease> MachineStock::take(const Scenario &scenario, const std::string &guest_path,
                                               Machine::Interrupted interrupted) {
  const bool may_keep = keeps_ && is_usual(scenario);
  const std::string kind = kind_of(scenario, guest_path);
  if (may_keep && stocked_ && stocked_->kind == kind && put_back(scenario))
    return Lease(*this);
  discard();
  auto image = GuestImage::open(guest_path);
  if (!image)
    return tl::unexpected(image.error());
  auto machine = Machine::build(scenario, *image, interrupted);
  if (!machine)
    return tl::unexpected(machine.error());
  stocked_ = std::make_unique<Stocked>(Stocked{kind, std::move(*image), std::move(*machine), {}, {}});
  start_ = MachineStart::kNew;
  if (may_keep)
    if (auto as_built = MachineState::of(stocked_->machine))
      stocked_->as_built = std::move(*as_built);
  return Lease(*this);
}

/// False: it cannot be used for that.
bool MachineStock::put_back(const Scenario &scenario) {
  Machine &machine = stocked_->machine;
  if (stocked_->zero && comes_to_zero_alone(scenario)) {
    const auto resumed = machine.resume(scenario, *stocked_->zero);
    if (!resumed)
      return false;
    start_ = MachineStart::kZero;
    if (*resumed)
      return true;
  }
  start_ = MachineStart::kAgain;
  return machine.restart(scenario, stocked_->image, *stocked_->as_built).has_value();
}

void MachineStock::note_zero(const Scenario &scenario) {
  if (start_ == MachineStart::kZero || !stocked_->as_built || !comes_to_zero_alone(scenario))
    return;
  auto zero = ZeroPoint::of(stocked_->machine, *stocked_->as_built);
  if (zero && *zero)
    stocked_->zero = std::move(**zero);
}

void MachineStock::give_back(bool is_sound) {
  if (!is_sound || !stocked_ || !stocked_->as_built)
    discard();
}

void MachineStock::discard() {
  if (destroyer_.joinable())
    destroyer_.join();
  if (!stocked_)
    return;
  if (keeps_)
    try {
      destroyer_ = std::thread([gone = std::move(stocked_)] {});
    } catch (const std::system_error &) { // no thread is left for it: it has gone with its owner
      spdlog::debug("no thread to destroy a machine on");
    }
  stocked_.reset();
}

} // namespace reveille::vmm
