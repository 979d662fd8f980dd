// Results as JUnit XML: what Jenkins, and what reads such files on GitHub, show as tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reveille::vmm {

/// What JUnit knows a test case to come to.
enum class JunitKind : std::uint8_t {
  kPassed,
  kFailure, ///< it ran, and showed something else than it should
  kError,   ///< it could not be run, or did not get to its end
  kSkipped,
};

/// One run as a test case. Texts may hold anything: what XML cannot, becomes question marks.
struct JunitCase {
  std::string file; ///< of the scenario, as it was named; "-": standard input
  std::string title;
  std::uint64_t seed = 0;
  bool repeated = false; ///< the file is run with other seeds too: then the case's name has its seed
  JunitKind kind = JunitKind::kPassed;
  std::string type;                  ///< the verdict, or "hung"
  std::vector<std::string> findings; ///< what is not as it should be; the first is the message
  std::string again;                 ///< a command for a shell that repeats the run
  std::string log;                   ///< what the run has said; shown if it did not pass
  double seconds = 0;
};

/// How many test cases there were of each kind.
struct JunitCounts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;

  void add(JunitKind kind);
};

struct JunitSuite {
  std::string name;
  JunitCounts counts;
  double seconds = 0;
  std::string timestamp;                                       ///< when it began: ISO 8601, UTC
  std::vector<std::pair<std::string, std::string>> properties; ///< those without a value are left out
};

/// What stands before the test cases of a file, and after them.
struct JunitFrame {
  std::string before;
  std::string after;
};

[[nodiscard]] JunitFrame junit_frame(const JunitSuite &suite);

/// A testcase element, with a final newline. Its class is the scenario's folder, with dots for slashes, and
/// its name the file's. JUnit has no properties for a test case: seed and command are in its system-out.
[[nodiscard]] std::string junit_case(const JunitCase &of);

/// The kind of a verdict by its name in the JSON result. `own`: the run itself has said so.
[[nodiscard]] JunitKind junit_kind(std::string_view verdict, bool own);

/// Now, as a JunitSuite wants it.
[[nodiscard]] std::string junit_timestamp();

} // namespace reveille::vmm
