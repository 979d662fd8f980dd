#include "vmm/diff/command.hpp"

#include "vmm/diff/text.hpp"
#include "vmm/scenario/read_file.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace reveille::vmm {
namespace {

int refuse(const Error &error) {
  fmt::print(stderr, "vmm diff: {}\n", error.message);
  return static_cast<int>(error.status);
}

int status_of(bool differs) {
  return static_cast<int>(differs ? ExitStatus::kDiffers : ExitStatus::kAsExpected);
}

} // namespace

int diff_command(const DiffOptions &options) {
  const auto before = read_results(options.before);
  if (!before)
    return refuse(before.error());
  const auto after = read_results(options.after);
  if (!after)
    return refuse(after.error());
  const std::string was = display_name(options.before);
  const std::string is = display_name(options.after);
  if (before->suite != after->suite)
    return refuse({ExitStatus::kUsage, fmt::format("{} is a suite and {} one run: give two of a kind",
                                                   before->suite ? was : is, before->suite ? is : was)});
  const Style style = Style::for_stream(stdout);
  fmt::print("before {}\nafter  {}\n", was, is);
  if (before->suite) {
    const SuiteComparison made = compare_suites(style, *before, *after);
    fmt::print("{}", made.text);
    return status_of(made.differs);
  }
  const Comparison made = compare(before->runs.front(), after->runs.front());
  fmt::print("{}", comparison_text(style, before->runs.front(), after->runs.front(), made));
  return status_of(made.outcome_differs());
}

} // namespace reveille::vmm
