#include "vmm/scenario/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace reveille::vmm {
namespace {

constexpr double kMaxMs = 3'600'000; // an hour
constexpr double kMaxUs = kMaxMs * 1000;
constexpr std::string_view kUpToMaxUs = "0..3600000000";
constexpr double kMaxInteger = 0x1p63; // what TOML's greatest integer, 2^63 - 1, is as a double

constexpr std::array<std::string_view, 3> kApicModes{"kernel", "split", "user"};
constexpr std::array<std::string_view, 3> kX2apic{"auto", "on", "off"};
constexpr std::array<std::string_view, 4> kThreads{"1", "2", "4", "8"};
constexpr std::array<std::string_view, 4> kStrategies{"serial", "split", "parallel", "tree"};
constexpr std::array<std::string_view, 2> kWaits{"spin", "halt"};
constexpr std::array<std::string_view, 2> kStops{"init", "none"};

using enum KeySection;
using enum KeyType;

constexpr std::array kKeys = std::to_array<KeyRow>({
    // clang-format off
    {.section = kRoot, .name = "title", .type = kText, .values = "at most 120 characters",
     .fallback = "the file's name", .derived = true, .about = "what the scenario shows"},
    {.section = kRoot, .name = "machine", .type = kTable, .about = "the machine"},
    {.section = kRoot, .name = "bringup", .type = kTable, .about = "how the guest brings its CPUs up"},
    {.section = kRoot, .name = "fault", .type = kTables, .about = "what the host does to a vCPU"},
    {.section = kRoot, .name = "expect", .type = kTable, .about = "what the run must show"},
    {.section = kRoot, .name = "sim", .type = kTable, .about = "how long things take on the simulated machine"},
    {.section = kRoot, .name = "guest", .type = kTable, .support = Support::kLater, .about = "a kernel of your own"},

    {.section = kMachine, .name = "vcpus", .type = kInteger, .least = 1, .most_is_cpus = true,
     .required = true, .about = "CPU 0 is the control CPU and counts"},
    {.section = kMachine, .name = "memory_mib", .type = kInteger, .least = 16, .most = 65536,
     .values = "16..65536", .fallback = "what the vCPUs need", .derived = true, .about = "guest memory, MiB"},
    {.section = kMachine, .name = "apic", .type = kChoice, .fallback = "\"kernel\"", .choices = kApicModes,
     .about = "who models the local APICs"},
    {.section = kMachine, .name = "x2apic", .type = kChoice, .fallback = "\"auto\"", .choices = kX2apic,
     .about = "whether CPU 0 starts in x2APIC mode; `auto`: when an ID needs it, and then all do; `off`: "
              "there is none, and at most 255 vCPUs"},
    {.section = kMachine, .name = "threads_per_core", .type = kInteger, .least = 1, .most = 8, .fallback = "1",
     .choices = kThreads, .about = "threads of a core; the last core has the rest"},

    {.section = kBringup, .name = "strategy", .type = kChoice, .fallback = "\"parallel\"", .choices = kStrategies,
     .about = "how the control side schedules the APs"},
    {.section = kBringup, .name = "wait", .type = kChoice, .fallback = "\"halt\"", .choices = kWaits,
     .about = "how a CPU waits at a point"},
    {.section = kBringup, .name = "window", .type = kInteger, .least = 0, .most_is_cpus = true,
     .fallback = "0", .about = "APs in flight at once; 0: all"},
    {.section = kBringup, .name = "timeout_ms", .type = kNumber, .least = 1, .most = 600'000,
     .values = "1..600000", .fallback = "10000", .about = "of each AP turn"},
    {.section = kBringup, .name = "attempts", .type = kInteger, .least = 1, .most = 8, .values = "1..8",
     .fallback = "1", .about = "at most, per AP and cycle"},
    {.section = kBringup, .name = "stop", .type = kChoice, .fallback = "\"init\"", .choices = kStops,
     .about = "what the control CPU does to an AP that it gave up on"},
    {.section = kBringup, .name = "primary_threads_first", .type = kBool, .values = "true, false",
     .fallback = "false", .about = "siblings wait for their primary thread"},
    {.section = kBringup, .name = "cycles", .type = kInteger, .least = 1, .most = 100'000, .values = "1..100000",
     .fallback = "1", .about = "up, then this many times less one down and up"},
    {.section = kBringup, .name = "max_cpus", .type = kInteger, .least = 1, .most_is_cpus = true, .values = "1..vcpus",
     .fallback = "vcpus", .derived = true, .about = "CPUs to bring up, CPU 0 included"},

    {.section = kSim, .name = "prepare_us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .fallback = "350", .about = "a PREPARE step, on the control CPU"},
    {.section = kSim, .name = "kick_us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .fallback = "20", .about = "INIT, SIPI, SIPI, on the control CPU"},
    {.section = kSim, .name = "wake_us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .fallback = "250", .about = "from the SIPI to the claim"},
    {.section = kSim, .name = "boot_us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .fallback = "100", .about = "from the claim to alive"},
    {.section = kSim, .name = "step_us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .fallback = "10", .about = "a step on an AP, and undoing it"},
    {.section = kSim, .name = "ipi_us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .fallback = "2", .about = "from an interrupt's sending to its handler"},
    {.section = kSim, .name = "serve_us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .fallback = "2", .about = "the control CPU's work for one arrival"},
    {.section = kSim, .name = "jitter", .type = kNumber, .least = 0, .most = 1, .values = "0..1",
     .fallback = "0.25", .about = "how far each time is off its figure at most, by the seed"},
    {.section = kSim, .name = "latency", .type = kTables, .about = "how long one thing takes on some CPUs"},

    {.section = kLatency, .name = "cpu", .type = kCpus, .values = "a number, an array, a cpulist (\"0-3,8\"), \"all\"",
     .required = true, .about = "whom it is about; `all`: all APs"},
    {.section = kLatency, .name = "at", .type = kText, .values = "a point, POINT.released, kick, step:NAME, dying, dead",
     .required = true, .about = "the step; or the way to that place, beside what has a time of its own"},
    {.section = kLatency, .name = "us", .type = kNumber, .least = 0, .most = kMaxUs, .values = kUpToMaxUs,
     .required = true, .about = "instead of the figure in [sim]; of places that have none there, 0"},

    {.section = kFault, .name = "cpu", .type = kCpus,
     .values = "a number, an array, a cpulist (\"0-3,8\"), \"all\", \"random:K\"",
     .required = true, .about = "whom it strikes; `all`: all APs; `random:K`: K of them, by the seed"},
    {.section = kFault, .name = "at", .type = kText, .values = "a place", .required = true,
     .about = "where (docs/faults.md)"},
    {.section = kFault, .name = "action", .type = kText, .values = "an action", .required = true,
     .about = "what (docs/faults.md)"},
    {.section = kFault, .name = "duration_ms", .type = kNumber, .least = 0, .most = kMaxMs,
     .values = "0..3600000", .fallback = "0", .derived = true,
     .about = "delay, late-init: over 0, no default; stall, freeze, throttle: 0 is for ever; others: none"},
    {.section = kFault, .name = "error", .type = kInteger, .least = -4095, .most = -1, .values = "-4095..-1",
     .fallback = "-11", .derived = true, .about = "fail: what the step returns; others: none"},
    {.section = kFault, .name = "attempt", .type = kInteger, .least = 0, .most = 8, .values = "0..attempts",
     .fallback = "1", .about = "which attempt of a cycle it strikes; 0: every"},
    {.section = kFault, .name = "cycle", .type = kInteger, .least = 0, .most = 100'000, .values = "0..cycles",
     .fallback = "1", .about = "which cycle it strikes; 0: every"},
    {.section = kFault, .name = "count", .type = kInteger, .least = 1, .most = 1'000'000,
     .values = "1..1000000", .fallback = "1", .about = "how often it fires on each CPU"},
    {.section = kFault, .name = "probability", .type = kNumber, .least = 0, .most = 1, .values = "over 0, to 1",
     .fallback = "1", .about = "of each firing, by the seed"},
    {.section = kFault, .name = "percent", .type = kInteger, .least = 1, .most = 99, .values = "1..99",
     .fallback = "none", .derived = true, .about = "throttle: the share of its time that is left"},
    {.section = kFault, .name = "vector", .type = kInteger, .least = 0, .most = 255, .values = "0..255",
     .fallback = "none", .derived = true, .about = "interrupt: 32..255; spurious-sipi, wrong-vector: the page that the CPU starts on"},
    {.section = kFault, .name = "address", .type = kInteger, .least = 0, .most = kMaxInteger, .values = "0..0x7fffffffffffffff", .fallback = "none",
     .derived = true, .about = "jump: where to; or `symbol`"},
    {.section = kFault, .name = "symbol", .type = kText, .values = "\"NAME\", \"NAME+0x10\"", .fallback = "none",
     .derived = true, .about = "jump: where to; or `address`"},
    {.section = kFault, .name = "to", .type = kInteger, .least = 0, .most = 1 << 20, .values = "a CPU",
     .fallback = "none", .derived = true, .about = "redirect, same-id, swap-id: the other CPU"},
    {.section = kFault, .name = "bits", .type = kInteger, .least = 1, .most = kMaxInteger, .values = "1..0x7fffffffffffffff",
     .fallback = "none", .derived = true, .about = "flip: which bits of the word, as a mask"},
    {.section = kFault, .name = "skew_us", .type = kNumber, .least = -1e6, .most = 1e6, .values = "-1000000..1000000",
     .fallback = "none", .derived = true, .about = "skew: how far the CPU's TSC is ahead"},

    {.section = kExpect, .name = "online", .type = kCpus, .values = "an array, a cpulist, \"all\"",
     .fallback = "the requested CPUs that are not in `failed`", .derived = true, .about = "CPUs that come online; `all`: all requested"},
    {.section = kExpect, .name = "failed", .type = kPerCpu, .values = "{ CPU or cpulist = \"reason@place\" }",
     .fallback = "none", .derived = true, .about = "CPUs that fail, and how"},
    {.section = kExpect, .name = "within_ms", .type = kNumber, .least = 0.001, .most = kMaxMs,
     .values = "over 0, to 3600000", .fallback = "none", .derived = true, .about = "from time zero to the last CPU decided"},
    {.section = kExpect, .name = "attempts", .type = kPerCpu, .values = "{ CPU or cpulist = 1..attempts }",
     .fallback = "none", .derived = true, .about = "the most attempts that a CPU needed in a cycle"},
    // clang-format on
});

constexpr bool sections_are_contiguous() {
  for (std::size_t i = 1; i < kKeys.size(); ++i)
    if (kKeys[i].section < kKeys[i - 1].section)
      return false;
  return true;
}
static_assert(sections_are_contiguous());

std::string values_of(const KeyRow &row) {
  if (row.choices.empty())
    return values_of(row, abi::kMaxCpus);
  std::string text;
  for (const std::string_view choice : row.choices)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", choice);
  return text;
}

std::string default_of(const KeyRow &row) {
  if (row.required)
    return "(required)";
  return row.derived || row.fallback.empty() ? std::string(row.fallback) : fmt::format("`{}`", row.fallback);
}

std::string_view support_of(const KeyRow &row) {
  return row.support == Support::kLater ? "not supported yet" : "yes";
}

} // namespace

std::span<const KeyRow> all_keys() { return kKeys; }

double most_of(const KeyRow &row, std::uint32_t most_cpus) { return row.most_is_cpus ? most_cpus : row.most; }

std::string values_of(const KeyRow &row, std::uint32_t most_cpus) {
  return row.values.empty() && row.most_is_cpus ? fmt::format("{}..{}", row.least, most_cpus)
                                                : std::string(row.values);
}

std::span<const KeyRow> keys_of(KeySection section) {
  const auto *const first = std::ranges::find(kKeys, section, &KeyRow::section);
  const auto *const last =
      std::find_if(first, kKeys.end(), [&](const KeyRow &row) { return row.section != section; });
  return {first, last};
}

const KeyRow *find_key(KeySection section, std::string_view name) {
  const auto rows = keys_of(section);
  const auto it = std::ranges::find(rows, name, &KeyRow::name);
  return it == rows.end() ? nullptr : &*it;
}

std::string_view header(KeySection section) {
  constexpr std::array<std::string_view, 7> kHeaders{
      "", "[machine]", "[bringup]", "[sim]", "[[sim.latency]]", "[[fault]]", "[expect]"};
  return kHeaders[static_cast<std::size_t>(section)];
}

std::optional<KeySection> section_called(std::string_view name) {
  const std::string table = fmt::format("[{}]", name); // an array's header has one more pair around it
  for (const KeyRow &row : kKeys)
    if (header(row.section).find(table) != std::string_view::npos)
      return row.section;
  return std::nullopt;
}

std::string keys_as_markdown() {
  std::string text = "| section | key | values | default | what | support |\n|---|---|---|---|---|---|\n";
  for (const KeyRow &row : kKeys)
    text += fmt::format("| {} | `{}` | {} | {} | {} | {} |\n", header(row.section), row.name, values_of(row),
                        default_of(row), row.about, support_of(row));
  return text;
}

} // namespace reveille::vmm
