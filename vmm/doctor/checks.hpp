// What the doctor looks at, as a table.
#pragma once

#include "vmm/probe/probes.hpp"

#include <span>
#include <string_view>

namespace reveille::vmm {

struct Check {
  std::string_view name;
  Finding (*on_kvm)(const Kvm &); ///< null: it needs no KVM, and on_host is it
  Finding (*on_host)();           ///< null: on_kvm is it
  bool needed;                    ///< without it nothing runs on KVM
  std::string_view touches;       ///< what of the lab depends on it
  std::string_view mend;          ///< what to do where it is not as it should be
};

/// The order is that of the report. Opening KVM comes before all of them.
[[nodiscard]] std::span<const Check> all_checks();

} // namespace reveille::vmm
