#include "vmm/scenario/cpulist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

namespace reveille::vmm {
namespace {

/// Digits and nothing else. What does not fit is a very large number.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? value : UINT64_MAX;
}

} // namespace

std::string no_such_cpu(std::string_view cpu, CpuIndex cpus) {
  return fmt::format("there is no CPU {}: the machine has {} (vcpus = {})", cpu,
                     cpus == 1 ? "CPU 0 alone" : fmt::format("CPUs 0 to {}", cpus - 1), cpus);
}

std::vector<CpuIndex> cpu_range(CpuIndex first, CpuIndex last) {
  if (first > last)
    return {};
  std::vector<CpuIndex> cpus(last - first + 1);
  std::iota(cpus.begin(), cpus.end(), first);
  return cpus;
}

tl::expected<std::vector<CpuIndex>, std::string> parse_cpulist(std::string_view text, CpuIndex cpus) {
  std::vector<bool> named(cpus);
  if (text.empty())
    return tl::make_unexpected(std::string("names no CPU"));
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    if (comma + 1 == rest.size())
      return tl::make_unexpected(fmt::format("\"{}\" ends in a comma", text));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);

    const std::size_t dash = part.find('-');
    const std::string_view low_text = part.substr(0, dash);
    const std::string_view high_text = dash == std::string_view::npos ? low_text : part.substr(dash + 1);
    const auto low = parse_number(low_text);
    const auto high = parse_number(high_text);
    if (!low || !high)
      return tl::make_unexpected(fmt::format("\"{}\" is not a CPU list like \"0-3,8\"", text));
    if (*low > *high)
      return tl::make_unexpected(fmt::format("\"{}\" runs backwards", part));
    if (*high >= cpus)
      return tl::make_unexpected(no_such_cpu(*low >= cpus ? low_text : high_text, cpus));
    std::fill(named.begin() + static_cast<std::ptrdiff_t>(*low),
              named.begin() + static_cast<std::ptrdiff_t>(*high) + 1, true);
  }
  std::vector<CpuIndex> list;
  for (CpuIndex cpu = 0; cpu < cpus; ++cpu)
    if (named[cpu])
      list.push_back(cpu);
  return list;
}

std::string format_cpulist(const std::vector<CpuIndex> &cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1)
      ++last;
    if (!text.empty())
      text += ',';
    text += last == i ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[last]);
    i = last + 1;
  }
  return text;
}

} // namespace reveille::vmm
