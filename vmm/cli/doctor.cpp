#ifdef REVEILLE_HAS_LAB
#include "vmm/doctor/command.hpp"

#include "vmm/cli/commands.hpp"
#include "vmm/report/outputs.hpp"

namespace reveille::vmm {

int doctor(const Arguments &arguments) {
  const auto parsed = parse_doctor(arguments);
  if (!parsed)
    return usage_error("doctor", parsed.error().message);
  if (!*parsed)
    return flushed(0);
  const DoctorOptions options = {.json = **parsed, .device = "/dev/kvm"};
  if (const auto writable = check_output({"--json", options.json}); !writable)
    return usage_error("doctor", writable.error().message);
  return flushed(doctor_command(options));
}

} // namespace reveille::vmm
#endif
