// The one way in which the vmm reports what went wrong.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace reveille::vmm {

/// The exit statuses of the command line.
enum class ExitStatus : int {
  kAsExpected = 0,
  kDiffers = 1,     ///< the outcome differs from [expect]
  kUsage = 2,       ///< the scenario or the command line is wrong
  kUnsupported = 3, ///< this host or mode cannot run it
  kBroken = 4,      ///< an invariant is broken, or the lab itself failed
  kInterrupted = 130,
};

/// The one of two that a command ends with: 130 first, for it says that not all was done, then as the design
/// orders them: 4, 2, 1, 3, 0.
[[nodiscard]] constexpr ExitStatus worse_of(ExitStatus a, ExitStatus b) {
  using enum ExitStatus;
  for (const ExitStatus worst : {kInterrupted, kBroken, kUsage, kDiffers, kUnsupported})
    if (a == worst || b == worst)
      return worst;
  return kAsExpected;
}

static_assert(worse_of(ExitStatus::kUsage, ExitStatus::kBroken) == ExitStatus::kBroken);
static_assert(worse_of(ExitStatus::kUnsupported, ExitStatus::kDiffers) == ExitStatus::kDiffers);
static_assert(worse_of(ExitStatus::kUsage, ExitStatus::kInterrupted) == ExitStatus::kInterrupted);
static_assert(worse_of(ExitStatus::kAsExpected, ExitStatus::kAsExpected) == ExitStatus::kAsExpected);

/// What went wrong: what was attempted, on what, and what to do about it, in one message
/// without a final newline.
struct Error {
  ExitStatus status = ExitStatus::kBroken;
  std::string message;
};

template <class T> using Result = tl::expected<T, Error>;

/// Makes a Result that failed.
[[nodiscard]] inline tl::unexpected<Error> fail(ExitStatus status, std::string message) {
  return tl::unexpected<Error>(Error{status, std::move(message)});
}

} // namespace reveille::vmm
