// Which runs there are: each scenario as often as asked for, and this shard's part of all that.
#pragma once

#include <cstddef>
#include <cstdint>

namespace reveille::vmm {

/// One of `of` parts of a suite. 1 <= index <= of.
struct Shard {
  std::uint64_t index = 1;
  std::uint64_t of = 1;
};

/// One run of a suite.
struct RunSpec {
  std::size_t file = 0; ///< its index in the list of scenarios
  std::uint64_t seed = 0;
};

/// The runs of a suite in order: the first scenario with each of its seeds, then the second.
/// A shard has every of-th of them, from the index-th on: together the shards have each run
/// once. All that is computed, so that a million runs cost nothing before they are run.
class Plan {
public:
  /// files * repeat, and seed + repeat, must fit 64 bits; repeat is at least 1.
  Plan(std::size_t files, std::uint64_t first_seed, std::uint64_t repeat, Shard shard)
      : files_(files), first_seed_(first_seed), repeat_(repeat), shard_(shard) {}

  [[nodiscard]] std::size_t size() const { return before(files_ * repeat_); }
  [[nodiscard]] std::size_t runs_of(std::size_t file) const {
    return before((file + 1) * repeat_) - before(file * repeat_);
  }
  /// The run with that index, which is below size().
  [[nodiscard]] RunSpec at(std::size_t run) const {
    const std::uint64_t in_all = run * shard_.of + shard_.index - 1;
    return {.file = in_all / repeat_, .seed = first_seed_ + in_all % repeat_};
  }

private:
  /// How many of the first `count` runs of all shards are this shard's.
  [[nodiscard]] std::size_t before(std::uint64_t count) const {
    return (count + shard_.of - shard_.index) / shard_.of;
  }

  std::size_t files_;
  std::uint64_t first_seed_;
  std::uint64_t repeat_;
  Shard shard_;
};

} // namespace reveille::vmm
