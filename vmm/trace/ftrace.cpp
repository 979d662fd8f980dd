#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"
#include "vmm/trace/numbers.hpp"
#include "vmm/trace/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <vector>

namespace reveille::vmm {
namespace {

constexpr std::string_view kHeader = "#                                _-----=> irqs-off/BH-disabled\n"
                                     "#                               / _----=> need-resched\n"
                                     "#                              | / _---=> hardirq/softirq\n"
                                     "#                              || / _--=> preempt-depth\n"
                                     "#                              ||| / _-=> migrate-disable\n"
                                     "#                              |||| /     delay\n"
                                     "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
                                     "#              | |         |   |||||     |         |\n";

// Nothing says of each moment whether interrupts were off; a kernel that cannot tell writes an X.
constexpr std::string_view kFlags = "X....";

struct Line {
  double us;
  std::string text;
};

bool is_shown(const Slice &slice) {
  return slice.kind == SliceKind::kTurn || slice.kind == SliceKind::kStep ||
         slice.kind == SliceKind::kUndoStep;
}

unsigned step_of(const Slice &slice) {
  return slice.kind == SliceKind::kTurn ? number_of(slice.place) : number_of(slice.section, slice.step);
}

bool goes_down(const Slice &slice) {
  return slice.kind == SliceKind::kUndoStep || slice.place == "dying" || slice.place == "dead";
}

/// Names are as anybody has them; a function's has no blank in it, and no bracket.
std::string function_of(const Slice &slice) {
  std::string name = printable(slice.name);
  std::ranges::replace_if(
      name, [](char c) { return c == ' ' || c == '(' || c == ')'; }, '_');
  return name;
}

/// The lines of one track, in the order in which they were written.
class Lines {
public:
  Lines(const Track &track, std::vector<Line> &lines)
      : track_(track), task_(fmt::format("{}/{}", track.control ? "control" : "ap", track.cpu)),
        lines_(lines) {}

  void write() {
    for (const Slice &slice : track_.slices) {
      leave(slice.depth);
      inside_.push_back(&slice);
      if (is_shown(slice))
        add(slice.begin_us, fmt::format("cpuhp_enter: cpu: {:04} target: {:3} step: {:3} ({})", slice.about,
                                        goes_down(slice) ? kOffline : number_of("active"), step_of(slice),
                                        function_of(slice)));
    }
    leave(0);
  }

private:
  void leave(std::size_t depth) {
    for (; inside_.size() > depth; inside_.pop_back())
      if (const Slice &slice = *inside_.back(); is_shown(slice))
        exit(slice);
  }

  void exit(const Slice &slice) {
    if (slice.kind != SliceKind::kTurn)
      error_ = slice.error;
    if (slice.end == SliceEnd::kOpen)
      return;
    int result = 0;
    if (slice.end == SliceEnd::kGivenUp)
      result = -ETIMEDOUT;
    else if (slice.end == SliceEnd::kFailed)
      result = error_;
    // The blank before the first word is the kernel's.
    add(slice.end_us, fmt::format("cpuhp_exit:  cpu: {:04}  state: {:3} step: {:3} ret: {}", slice.about,
                                  step_of(slice), step_of(slice), result));
  }

  void add(double us, const std::string &what) {
    const auto in_all = static_cast<unsigned long long>(std::llround(std::max(us, 0.0)));
    lines_.push_back({us, fmt::format("{:>16}-{:<7} [{:03}] {} {:5}.{:06}: {}\n", task_, track_.cpu + 1,
                                      track_.cpu, kFlags, in_all / 1'000'000, in_all % 1'000'000, what)});
  }

  const Track &track_;
  const std::string task_;
  std::vector<Line> &lines_;
  std::vector<const Slice *> inside_;
  int error_ = 0; ///< of the last step
};

} // namespace

std::string ftrace_text(const Traced &run) {
  std::vector<Line> lines;
  for (const Track &track : run.story.tracks)
    Lines(track, lines).write();
  std::ranges::stable_sort(lines, {}, &Line::us);
  std::string text =
      fmt::format("# tracer: nop\n#\n# entries-in-buffer/entries-written: {0}/{0}   #P:{1}\n#\n{2}",
                  lines.size(), run.scenario.machine.vcpus, kHeader);
  for (const Line &line : lines)
    text += line.text;
  return text;
}

} // namespace reveille::vmm
