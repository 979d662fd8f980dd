#include "vmm/html/template.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"

namespace reveille::vmm {

std::string fill_template(std::string_view from,
                          std::initializer_list<std::pair<std::string_view, std::string_view>> texts) {
  std::string page;
  for (std::size_t at = from.find("{{"); at != std::string_view::npos; at = from.find("{{")) {
    const std::size_t end = from.find("}}", at);
    const std::string_view mark = from.substr(at + 2, end - at - 2);
    page += from.substr(0, at);
    for (const auto &[name, text] : texts)
      page += name == mark ? text : std::string_view();
    from.remove_prefix(end + 2);
  }
  return page += from;
}

std::string script_json(std::string_view json) {
  std::string safe; // a "<" is nowhere but in a string
  safe.reserve(json.size());
  for (const char c : json)
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  return safe;
}

std::string html_text(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) {
    switch (c) {
    case '&':
      safe += "&amp;";
      break;
    case '<':
      safe += "&lt;";
      break;
    case '>':
      safe += "&gt;";
      break;
    case '"':
      safe += "&quot;";
      break;
    default:
      safe += c;
    }
  }
  return safe;
}

} // namespace reveille::vmm
