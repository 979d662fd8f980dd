// The parts of a page's data.
#pragma once

#include "vmm/html/page.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <vector>

namespace reveille::vmm {

using Json = nlohmann::ordered_json;

/// Texts that come often, each kept once: the data has their numbers.
class Names {
public:
  [[nodiscard]] std::size_t of(std::string_view text);
  [[nodiscard]] Json all() const { return texts_; }

private:
  std::map<std::string, std::size_t, std::less<>> numbers_;
  std::vector<std::string> texts_;
};

/// Microseconds to a nanosecond.
[[nodiscard]] double page_us(double us);

/// Tracks with their slices, moments and holds, and the arrows between them.
[[nodiscard]] Json tracks_json(const Page &page, Names &names);
[[nodiscard]] Json arrows_json(const Page &page, Names &names);

/// Where time went: a row for each stretch between two points with the times of all CPUs, the critical
/// chain, and what all of it went into.
[[nodiscard]] Json stretches_json(const Page &page);
[[nodiscard]] Json chain_json(const Page &page);
[[nodiscard]] Json blame_json(const Page &page);

/// Faults and CPUs that failed, in words.
[[nodiscard]] Json faults_json(const Page &page);
[[nodiscard]] Json stuck_json(const Page &page);

} // namespace reveille::vmm
