#include "vmm/doctor/command.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/doctor/json.hpp"
#include "vmm/doctor/text.hpp"
#include "vmm/report/write_output.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace reveille::vmm {

int doctor_command(const DoctorOptions &options) {
  const Examination examination = examine(options.device);
  std::FILE *people = options.json == "-" ? stderr : stdout;
  fmt::print(people, "{}", examination_text(Style::for_stream(people), examination));
  if (!options.json.empty())
    if (const auto written = write_output(options.json, examination_json(examination)); !written) {
      fmt::print(stderr, "vmm doctor: {}\n", printable(written.error().message));
      return static_cast<int>(written.error().status);
    }
  return static_cast<int>(examination.works() ? ExitStatus::kAsExpected : ExitStatus::kUnsupported);
}

} // namespace reveille::vmm
