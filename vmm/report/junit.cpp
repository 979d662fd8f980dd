#include "vmm/report/junit.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pugixml.hpp>

#include <algorithm>
#include <ctime>
#include <filesystem>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMostFindings = 200; // of one run; there may be a difference for each CPU
constexpr const char *kIndent = "  ";
constexpr unsigned kCaseDepth = 2; // below testsuites and testsuite

/// Text that XML can hold: without control characters but line ends and tabs, without what is not
/// UTF-8, and without the two characters that are none. Source: XML 1.0, 2.2 "Characters".
std::string xml_text(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
    clean += printable(text.substr(0, end));
    if (end != text.size())
      clean += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) // U+FFFE, U+FFFF
    for (std::size_t at = clean.find(none); at != std::string::npos; at = clean.find(none, at))
      clean.replace(at, none.size(), 1, '?');
  return clean;
}

void set(pugi::xml_node node, const char *name, std::string_view value) {
  node.append_attribute(name).set_value(xml_text(value).c_str());
}

void set(pugi::xml_node node, const char *name, std::size_t value) {
  node.append_attribute(name).set_value(static_cast<unsigned long long>(value));
}

void set_time(pugi::xml_node node, double seconds) { set(node, "time", fmt::format("{:.3f}", seconds)); }

void add_text(pugi::xml_node node, const char *name, std::string_view text) {
  node.append_child(name).text().set(xml_text(text).c_str());
}

std::string class_name(const std::string &file) {
  std::string name;
  for (const std::filesystem::path &part : std::filesystem::path(file).parent_path().lexically_normal()) {
    std::string word = part.string();
    if (word == "/" || word == "." || word.empty())
      continue;
    std::replace(word.begin(), word.end(), '.', '_'); // dots would be further folders
    if (!name.empty())
      name += '.';
    name += word;
  }
  return name.empty() ? "scenarios" : name;
}

std::string case_name(const JunitCase &of) {
  std::string name = of.file == "-" ? "standard input" : std::filesystem::path(of.file).stem().string();
  if (of.repeated)
    name += fmt::format(" seed {}", of.seed);
  return name;
}

const char *element_of(JunitKind kind) {
  switch (kind) {
  case JunitKind::kFailure:
    return "failure";
  case JunitKind::kError:
    return "error";
  case JunitKind::kSkipped:
    return "skipped";
  case JunitKind::kPassed:
    break;
  }
  return nullptr;
}

/// One line.
std::string_view message_of(const JunitCase &of) {
  if (of.findings.empty())
    return of.type;
  return std::string_view(of.findings.front()).substr(0, of.findings.front().find('\n'));
}

std::string findings_text(const JunitCase &of) {
  std::string text;
  const std::size_t shown = std::min(of.findings.size(), kMostFindings);
  for (std::size_t i = 0; i < shown; ++i)
    text += of.findings[i] + '\n';
  if (shown < of.findings.size())
    text += fmt::format("and {} more\n", of.findings.size() - shown);
  return text + "again: " + of.again;
}

struct ToString final : pugi::xml_writer {
  void write(const void *data, std::size_t size) override {
    text.append(static_cast<const char *>(data), size);
  }
  std::string text;
};

} // namespace

void JunitCounts::add(JunitKind kind) {
  ++tests;
  failures += kind == JunitKind::kFailure ? 1 : 0;
  errors += kind == JunitKind::kError ? 1 : 0;
  skipped += kind == JunitKind::kSkipped ? 1 : 0;
}

JunitFrame junit_frame(const JunitSuite &suite) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  pugi::xml_node all = document.append_child("testsuites");
  pugi::xml_node one = all.append_child("testsuite");
  for (pugi::xml_node node : {all, one}) {
    set(node, "name", suite.name);
    set(node, "tests", suite.counts.tests);
    set(node, "failures", suite.counts.failures);
    set(node, "errors", suite.counts.errors);
    set_time(node, suite.seconds);
  }
  set(one, "skipped", suite.counts.skipped);
  set(one, "timestamp", suite.timestamp);
  pugi::xml_node properties = one.append_child("properties");
  for (const auto &[name, value] : suite.properties) {
    if (value.empty())
      continue;
    pugi::xml_node property = properties.append_child("property");
    set(property, "name", name);
    set(property, "value", value);
  }
  ToString whole;
  document.save(whole, kIndent);
  const std::size_t end = whole.text.rfind("</testsuite>");
  const std::size_t line = whole.text.rfind('\n', end) + 1;
  return {whole.text.substr(0, line), whole.text.substr(line)};
}

std::string junit_case(const JunitCase &of) {
  pugi::xml_document document;
  pugi::xml_node node = document.append_child("testcase");
  set(node, "classname", class_name(of.file));
  set(node, "name", case_name(of));
  set_time(node, of.seconds);
  if (const char *element = element_of(of.kind)) {
    pugi::xml_node why = node.append_child(element);
    set(why, "type", of.type);
    set(why, "message", message_of(of));
    why.text().set(xml_text(findings_text(of)).c_str());
  }
  add_text(node, "system-out", fmt::format("title: {}\nseed: {}\nagain: {}", of.title, of.seed, of.again));
  if (of.kind != JunitKind::kPassed && !of.log.empty())
    add_text(node, "system-err", of.log);
  ToString text;
  node.print(text, kIndent, pugi::format_default, pugi::encoding_utf8, kCaseDepth);
  return text.text;
}

JunitKind junit_kind(std::string_view verdict, bool own) {
  if (verdict == "pass")
    return JunitKind::kPassed;
  if (verdict == "unsupported" || verdict == "interrupted")
    return JunitKind::kSkipped;
  return own && (verdict == "fail" || verdict == "broken") ? JunitKind::kFailure : JunitKind::kError;
}

std::string junit_timestamp() { return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(std::time(nullptr))); }

} // namespace reveille::vmm
