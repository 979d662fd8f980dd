// Collects what is wrong with a scenario, and says the first of it in file order.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/scenario/document.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

class Diagnostics {
public:
  /// `set_keys`: the keys of the --set options, for what comes from them.
  Diagnostics(std::string file, std::vector<std::string> set_keys)
      : file_(std::move(file)), set_keys_(std::move(set_keys)) {}

  /// `key` (in full: "machine.vcpus"), written at `at`, is wrong.
  void add(Origin at, std::string key, std::string what);

  /// `key` is missing from the table that begins at `at`. That shows only at the end of
  /// the table, so it yields to every other error.
  void add_missing(Origin at, std::string key, std::string what);

  /// What messages call a key that is written at `at`: "x.toml:7:6: fault.0.at".
  [[nodiscard]] std::string name_of(Origin at, std::string_view key) const;

  [[nodiscard]] bool empty() const { return found_.empty(); }

  /// The first of what was found, and on a second line how much more there is.
  [[nodiscard]] Error error() const;

private:
  struct Found {
    Origin at;
    bool missing;
    std::string key;
    std::string what;
  };

  std::string file_;
  std::vector<std::string> set_keys_;
  std::vector<Found> found_;
};

} // namespace reveille::vmm
