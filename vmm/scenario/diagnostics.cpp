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

std::string Diagnostics::line(const Found &found) const {
  if (found.at.set >= 0 && set_keys_[static_cast<std::size_t>(found.at.set)] == found.key)
    return fmt::format("--set {}: {}", found.key, found.what);
  if (found.at.set >= 0)
    return fmt::format("--set {}: {}: {}", set_keys_[static_cast<std::size_t>(found.at.set)], found.key,
                       found.what);
  return fmt::format("{}:{}:{}: {}: {}", file_, found.at.line, found.at.column, found.key, found.what);
}

Error Diagnostics::error() const {
  // The file first, in its order; then what --set brought in, in the order of the options.
  const auto rank = [](const Found &f) { return std::tuple(f.missing, f.at.set, f.at.line, f.at.column); };
  const auto first = std::ranges::min_element(found_, {}, rank);
  std::string message = printable(line(*first));
  if (found_.size() > 1)
    message += fmt::format("\n({} more error{} in it)", found_.size() - 1, found_.size() == 2 ? "" : "s");
  return {ExitStatus::kUsage, std::move(message)};
}

} // namespace reveille::vmm
