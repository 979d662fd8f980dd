// `vmm doctor`.
#pragma once

#include <string>

namespace reveille::vmm {

struct DoctorOptions {
  std::string json;                ///< where to write it as JSON; empty: nowhere; "-": standard output
  std::string device = "/dev/kvm"; ///< what is examined
};

/// Examines this host and tells what it found. Returns the exit status: 0, or 3 where `vmm run` cannot work
/// on KVM.
[[nodiscard]] int doctor_command(const DoctorOptions &options);

} // namespace reveille::vmm
