#include "vmm/report/bar.hpp"

#include "vmm/report/words.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace reveille::vmm {
namespace {

constexpr std::array<char, protocol::kPointCount> kWayTo = {'k', 's', 'y', 'o', 'i', 'a'};

class Columns {
public:
  Columns(double begin_us, double end_us, int width)
      : begin_us_(begin_us), end_us_(end_us), us_per_column_((end_us - begin_us) / width),
        text_(static_cast<std::size_t>(width), ' ') {}

  /// Everything from `us` on is `what`, until something else begins.
  void begin(std::optional<double> us, char what) {
    if (us && is_credible(*us))
      std::fill(at(*us), text_.end(), what);
  }

  /// Nothing comes after it.
  void give_up(double us) {
    if (!is_credible(us))
      return;
    const auto here = at(us);
    *here = us > end_us_ ? '>' : 'x';
    std::fill(here + 1, text_.end(), ' ');
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

private:
  std::string::iterator at(double us) {
    const double last = static_cast<double>(text_.size() - 1);
    const double column =
        us_per_column_ > 0 ? std::clamp(std::floor((us - begin_us_) / us_per_column_), 0.0, last) : last;
    return text_.begin() + static_cast<std::ptrdiff_t>(column);
  }

  double begin_us_;
  double end_us_;
  double us_per_column_;
  std::string text_;
};

} // namespace

std::string bar(const PointTimes &times, std::optional<double> gave_up, double begin_us, double end_us,
                int width) {
  if (width <= 0)
    return {};
  if (gave_up && is_credible(*gave_up) && *gave_up < begin_us) // long ago
    return std::string(static_cast<std::size_t>(width), ' ');
  Columns columns(begin_us, end_us, width);
  columns.begin(times.kick, kWayTo[0]);
  for (std::size_t i = 0; i < protocol::kPointCount; ++i) {
    const bool last = i + 1 == protocol::kPointCount;
    columns.begin(times.arrived[i], last ? '=' : '.');
    if (!last)
      columns.begin(times.resumed[i], kWayTo[i + 1]);
  }
  if (gave_up)
    columns.give_up(*gave_up);
  return columns.take();
}

} // namespace reveille::vmm
