#include "vmm/scenario/diagnostics.hpp"

#include "vmm/base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace reveille::vmm {

void Diagnostics::add(Origin at, std::string key, std::string what) {
  found_.push_back({at, false, std::move(key), std::move(what)});
}

void Diagnostics::add_missing(Origin at, std::string key, std::string what) {
  found_.push_back({at, true, std::move(key), std::move(what)});
}

std::string Diagnostics::name_of(Origin at, std::string_view key) const {
  if (at.set < 0)
    return fmt::format("{}:{}:{}: {}", file_, at.line, at.column, key);
  const std::string &set = set_keys_[static_cast<std::size_t>(at.set)];
  return set == key ? fmt::format("--set {}", key) : fmt::format("--set {}: {}", set, key);
}

Error Diagnostics::error() const {
  // The file first, in its order; then what --set brought in, in the order of the options.
  const auto rank = [](const Found &f) { return std::tuple(f.missing, f.at.set, f.at.line, f.at.column); };
  const auto first = std::ranges::min_element(found_, {}, rank);
  std::string message = printable(fmt::format("{}: {}", name_of(first->at, first->key), first->what));
  if (found_.size() > 1)
    message += fmt::format("\n({} more error{} in it)", found_.size() - 1, found_.size() == 2 ? "" : "s");
  return {ExitStatus::kUsage, std::move(message)};
}

} // namespace reveille::vmm
