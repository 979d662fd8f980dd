// What all pages of HTML are made with.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace reveille::vmm {

/// The template with a text in the place of each {{mark}}; of a mark that has none nothing is left. Nothing
/// is looked for in what was put in.
[[nodiscard]] std::string
fill_template(std::string_view from,
              std::initializer_list<std::pair<std::string_view, std::string_view>> texts);

/// JSON as it stands in a script element, which "</script" and "<!--" would end: no "<" is left in it.
[[nodiscard]] std::string script_json(std::string_view json);

/// Text as it stands between tags.
[[nodiscard]] std::string html_text(std::string_view text);

} // namespace reveille::vmm
