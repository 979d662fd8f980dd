#include "vmm/suite/junit.hpp"

#include "vmm/report/shell.hpp"
#include "vmm/report/write_output.hpp"
#include "vmm/suite/command_line.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

/// Paths and options as one line.
std::string listed(const std::vector<std::string> &words) {
  std::string line;
  for (const std::string &word : words)
    line += (line.empty() ? "" : " ") + shell_quoted(word);
  return line;
}

} // namespace

JunitCase test_case_of(const SuiteOptions &options, const RunName &name, const Outcome &outcome) {
  const std::string_view verdict = row_of(outcome.verdict).name;
  return {.file = name.file,
          .title = name.title,
          .seed = name.seed,
          .repeated = options.repeat > 1,
          .kind = junit_kind(verdict, outcome.own),
          .type = outcome.hung ? "hung" : std::string(verdict),
          .findings = outcome.findings,
          .again = command_of(options, name.file, name.seed),
          .log = outcome.log,
          .seconds = outcome.seconds};
}

Result<JunitFile> JunitFile::create() {
  return Spool::create().map([](Spool &&cases) { return JunitFile(std::move(cases)); });
}

Result<void> JunitFile::add(std::size_t run, const SuiteOptions &options, const RunName &name,
                            const Outcome &outcome) {
  const JunitCase made = test_case_of(options, name, outcome);
  counts_.add(made.kind);
  return cases_.add(run, junit_case(made));
}

Result<void> JunitFile::write(const SuiteOptions &options, double seconds) {
  const auto cases = cases_.texts();
  if (!cases)
    return tl::unexpected(cases.error());
  const JunitFrame frame =
      junit_frame({.name = "vmm suite",
                   .counts = counts_,
                   .seconds = seconds,
                   .timestamp = began_,
                   .properties = {{"backend", std::string(name(options.backend))},
                                  {"scenarios", listed(options.paths)},
                                  {"set", listed(options.sets)},
                                  {"seed", std::to_string(options.seed)},
                                  {"repeat", std::to_string(options.repeat)},
                                  {"shard", fmt::format("{}/{}", options.shard.index, options.shard.of)}}});
  std::vector<std::string_view> pieces{frame.before};
  pieces.insert(pieces.end(), cases->begin(), cases->end());
  pieces.push_back(frame.after);
  return write_output(options.junit, pieces);
}

} // namespace reveille::vmm
