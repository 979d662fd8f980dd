#include "vmm/report/tap.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMostFindings = 200; // of one run, as JUnit has it

/// A line of text in a test point: without what ends its description.
std::string description(std::string_view text) {
  std::string clean;
  for (const char c : printable(text)) {
    if (c == '#' || c == '\\')
      clean += '\\';
    clean += c;
  }
  return clean;
}

/// A string as YAML and JSON both have it, on one line.
std::string yaml_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// A line of a block of text, which must not begin with a blank.
std::string one_line(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  return printable(text);
}

std::string severity(JunitKind kind) { return kind == JunitKind::kError ? "error" : "fail"; }

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

/// Why it did not pass.
std::string block(const JunitCase &of) {
  std::string text = "  ---\n";
  const auto line = [&text](std::string_view key, const std::string &value) {
    text += fmt::format("  {}: {}\n", key, value);
  };
  line("message", yaml_string(of.findings.empty() ? of.type : first_line(of.findings.front())));
  line("severity", severity(of.kind));
  line("verdict", of.type);
  line("title", yaml_string(of.title));
  line("seed", std::to_string(of.seed));
  line("duration_ms", fmt::format("{:.0f}", of.seconds * 1000));
  line("again", yaml_string(of.again));
  const std::size_t shown = std::min(of.findings.size(), kMostFindings);
  // Lines of text and no list: Perl's reader takes a quoted item with a colon in it for a key.
  text += shown == 0 ? "" : "  findings: |\n";
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("    {}\n", one_line(of.findings[i]));
  if (shown < of.findings.size())
    text += fmt::format("    and {} more\n", of.findings.size() - shown);
  return text + "  ...\n";
}

} // namespace

std::string tap_head(std::size_t tests) {
  return fmt::format("TAP version 13\n1..{}{}\n", tests, tests == 0 ? " # SKIP nothing to run" : "");
}

std::string tap_point(std::size_t number, const JunitCase &of) {
  const bool fine = of.kind == JunitKind::kPassed || of.kind == JunitKind::kSkipped;
  std::string text = fmt::format("{} {} - {}", fine ? "ok" : "not ok", number, description(of.file));
  if (of.repeated)
    text += fmt::format(" seed {}", of.seed);
  if (of.kind == JunitKind::kSkipped)
    text += fmt::format(" # SKIP {}",
                        description(of.findings.empty() ? of.type : first_line(of.findings.front())));
  return text + '\n' + (fine ? "" : block(of));
}

std::string tap_bail_out(const std::string &why) { return "Bail out! " + description(why) + '\n'; }

} // namespace reveille::vmm
