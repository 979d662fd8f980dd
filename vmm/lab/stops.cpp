#include "vmm/lab/stops.hpp"

#include "vmm/base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {

namespace {

constexpr std::size_t kSlots = 4;                           // SDM 3, 18.2 "Debug Registers"
constexpr std::string_view kSendStart = "lapic_send_start"; // guest/lapic/lapic.hpp

} // namespace

std::vector<std::uint64_t> Stops::addresses() const {
  std::vector<std::uint64_t> all;
  for (const At &at : strikes)
    all.push_back(at.address);
  if (send_start)
    all.push_back(*send_start);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Result<std::uint64_t> find_code(const Machine &machine, const CodePlace &code) {
  if (code.symbol.empty())
    return code.offset;
  const auto address = machine.symbols().find(code.symbol);
  if (!address)
    return fail(ExitStatus::kUsage,
                fmt::format("{}{}the guest has no symbol \"{}\", or several; `nm` on it shows what it has",
                            printable(code.told_as), code.told_as.empty() ? "" : ": ",
                            printable(code.symbol)));
  return *address + code.offset;
}

Result<Stops> find_stops(const Scenario &scenario, const FaultEngine &faults, const Machine &machine,
                         CpuIndex cpu, bool at_sending) {
  Stops stops;
  for (const Strike &strike : faults.at_code(cpu)) {
    const auto address = find_code(machine, std::get<CodePlace>(strike.spec->at.where));
    if (!address)
      return tl::unexpected(address.error());
    stops.strikes.push_back({*address, strike});
  }
  if (at_sending) {
    const auto address = find_code(machine, {std::string(kSendStart), 0});
    if (!address)
      return tl::unexpected(address.error());
    stops.send_start = *address;
  }
  if (stops.addresses().size() > kSlots)
    return fail(ExitStatus::kUsage,
                fmt::format("{}: CPU {} would be stopped at {} instructions; a processor has slots for {}{}",
                            scenario.file, cpu, stops.addresses().size(), kSlots,
                            stops.send_start ? ", and the delivery of INITs and SIPIs takes one" : ""));
  return stops;
}

} // namespace reveille::vmm
