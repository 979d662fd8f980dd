#include "vmm/suite/tap.hpp"

#include "vmm/report/tap.hpp"
#include "vmm/report/write_output.hpp"
#include "vmm/suite/junit.hpp"

#include <fmt/format.h>

namespace reveille::vmm {

Result<TapFile> TapFile::create() {
  return Spool::create().map([](Spool &&points) { return TapFile(std::move(points)); });
}

Result<void> TapFile::add(std::size_t run, const SuiteOptions &options, const RunName &name,
                          const Outcome &outcome) {
  return points_.add(run, tap_point(run + 1, test_case_of(options, name, outcome)));
}

Result<void> TapFile::write(const SuiteOptions &options, std::size_t planned) {
  const auto points = points_.texts();
  if (!points)
    return tl::unexpected(points.error());
  const std::string head = tap_head(planned);
  const std::size_t missing = planned - points->size();
  const std::string tail =
      missing == 0 ? "" : tap_bail_out(fmt::format("interrupted: {} runs were not started", missing));
  std::vector<std::string_view> pieces{head};
  pieces.insert(pieces.end(), points->begin(), points->end());
  pieces.emplace_back(tail);
  return write_output(options.tap, pieces);
}

} // namespace reveille::vmm
