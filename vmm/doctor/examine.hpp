// All checks on this host, and what they come to.
#pragma once

#include "vmm/kvm/host_info.hpp"
#include "vmm/probe/probes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// What one check came to.
struct Diagnosis {
  std::string name;
  std::optional<Finding> finding; ///< empty: it takes a KVM, and there is none
  bool needed = false;            ///< without it nothing runs on KVM
  std::string touches;
  std::string mend; ///< empty where there is nothing to mend
};

struct Examination {
  std::vector<Diagnosis> diagnoses; ///< that of opening KVM first
  std::optional<HostInfo> host;     ///< empty: KVM could not be opened

  /// Whether `vmm run` can work here on KVM at all.
  [[nodiscard]] bool works() const;
};

/// Opens KVM and runs every check. `device` is where KVM is.
[[nodiscard]] Examination examine(const std::string &device = "/dev/kvm");

/// As the JSON has it: "works", "partly", "lacks", "not probed".
[[nodiscard]] std::string_view name(const std::optional<Finding> &finding);

} // namespace reveille::vmm
