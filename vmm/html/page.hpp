// A run as one page of HTML that needs nothing beside it.
#pragma once

#include "vmm/kvm/host_info.hpp"
#include "vmm/story/story.hpp"

#include <string>
#include <string_view>

namespace reveille::vmm {

/// The most CPUs that a page has lanes for: a browser does not take any number.
inline constexpr CpuIndex kMostPageCpus = 10'000;

/// A run and what was made of it. One that never began has an empty story, and its one difference says why.
struct Page {
  const Scenario &scenario;
  const HostInfo *host; ///< null: a simulated machine, or none was measured
  const Observation &seen;
  const Verdict &verdict;
  const Story &story;
  std::string_view outcome; ///< the verdict as the JSON result has it
  ExitStatus exit;
  std::string_view again; ///< a command that repeats the run
};

/// The page: markup, style, script and data, with a final newline. Texts of the guest and of files are
/// data in it, never markup.
[[nodiscard]] std::string html_page(const Page &page);

/// The data alone, as the script of the page takes it: JSON in which no "<" stands.
[[nodiscard]] std::string page_data(const Page &page);

} // namespace reveille::vmm
