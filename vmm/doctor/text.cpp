#include "vmm/doctor/text.hpp"

#include "vmm/base/printable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

// Columns, in characters. What is left of the line is for what was found and what it touches.
constexpr int kStandingWidth = 12;
constexpr int kNameWidth = 15;
constexpr int kLeastWidth = 20;

Ink ink_of(const std::optional<Finding> &finding) {
  if (!finding)
    return Ink::kDim;
  switch (finding->standing) {
  case Standing::kWorks:
    return Ink::kGood;
  case Standing::kPartly:
    return Ink::kWarn;
  case Standing::kLacks:
    break;
  }
  return Ink::kBad;
}

/// `text` in lines of at most `width` columns.
std::vector<std::string> lines_of(std::string_view text, int width) {
  std::vector<std::string> lines;
  const std::string wrapped = wrap("", printable(text), width);
  for (std::string_view rest = wrapped; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
    lines.emplace_back(rest.substr(0, rest.find('\n')));
  return lines;
}

std::string_view line_at(const std::vector<std::string> &lines, std::size_t index) {
  return index < lines.size() ? std::string_view(lines[index]) : std::string_view{};
}

/// A line whose end is not blank.
std::string row(std::string_view head, std::string_view name, std::string_view found, int found_width,
                std::string_view touches) {
  std::string line = fmt::format("{}{:<{}}{:<{}}{}", head, name, kNameWidth, found, found_width, touches);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string diagnosis_text(const Style &style, const Diagnosis &of, int found_width, int touches_width) {
  const auto found = lines_of(of.finding ? of.finding->found : "it takes a KVM", found_width - 2);
  const auto touches = lines_of(of.touches, touches_width);
  std::string text;
  for (std::size_t i = 0; i < std::max(found.size(), touches.size()); ++i) {
    const std::string head = fmt::format("{:<{}}", i == 0 ? name(of.finding) : "", kStandingWidth);
    text += row(i == 0 ? paint(style, ink_of(of.finding), head) : head,
                i == 0 ? std::string_view(of.name) : "", line_at(found, i), found_width, line_at(touches, i));
  }
  if (!of.mend.empty())
    text +=
        wrap(fmt::format("{:<{}}mend: ", "", kStandingWidth + kNameWidth), printable(of.mend), style.width);
  return text;
}

std::string host_text(const Examination &examination) {
  if (!examination.host)
    return {};
  const HostInfo &host = *examination.host;
  return printable(fmt::format("Linux {}, {}", host.kernel, host.cpu_model)) + "\n\n";
}

std::string verdict_text(const Style &style, const Examination &examination) {
  if (!examination.works())
    return wrap("",
                "vmm run cannot work here on KVM. It can simulate, without KVM: vmm run FILE --backend sim.",
                style.width);
  std::vector<std::string_view> lacking;
  for (const Diagnosis &of : examination.diagnoses)
    if (of.finding && of.finding->standing == Standing::kLacks)
      lacking.push_back(of.name);
  if (lacking.empty())
    return "vmm run works here on KVM.\n";
  return wrap(
      "",
      fmt::format("vmm run works here on KVM, without: {}. A scenario that needs it ends with exit status 3.",
                  fmt::join(lacking, ", ")),
      style.width);
}

} // namespace

std::string examination_text(const Style &style, const Examination &examination) {
  const int left = std::max(style.width - kStandingWidth - kNameWidth, 2 * kLeastWidth);
  const int found_width = left * 11 / 20;
  std::string text = host_text(examination);
  text += paint(
      style, Ink::kBold,
      row(fmt::format("{:<{}}", "", kStandingWidth), "probed", "found", found_width, "what it touches"));
  for (const Diagnosis &of : examination.diagnoses)
    text += diagnosis_text(style, of, found_width, left - found_width);
  return text + '\n' + verdict_text(style, examination);
}

} // namespace reveille::vmm
