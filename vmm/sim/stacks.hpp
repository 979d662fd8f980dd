// Stacks for simulated CPUs, from few mappings: a mapping with a guard page for each would end
// at about 32,000 (vm.max_map_count). What a guard page would catch, a canary finds.
#pragma once

#include "vmm/base/mapping.hpp"

#include <cstddef>
#include <vector>

namespace reveille::vmm::sim {

/// Memory to run on; grows down from its end.
struct Stack {
  std::byte *low = nullptr;
  std::size_t size = 0; ///< bytes
};

class Stacks {
public:
  /// `size` bytes each, a multiple of the page size.
  explicit Stacks(std::size_t size) : size_(size) {}

  /// A stack that nobody has. Throws std::bad_alloc when the host has no memory for more.
  [[nodiscard]] Stack take();

  /// Gives one back, to be taken again; what is on it is forgotten.
  void put(Stack stack);

  /// Whether nobody has ever written to its low end. The canary is what fresh memory holds,
  /// zeros, so that looking at it makes no page of it real.
  [[nodiscard]] static bool is_whole(const Stack &stack);

  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  [[nodiscard]] std::size_t most_in_use() const { return most_in_use_; }

  static constexpr std::size_t kCanaryBytes = 64;

private:
  static constexpr std::size_t kPerChunk = 256;

  void add_chunk();

  std::size_t size_;
  std::vector<Mapping> chunks_;
  std::vector<std::byte *> free_; ///< the last that was put back is taken first: it is in the caches
  std::size_t in_use_ = 0;
  std::size_t most_in_use_ = 0;
};

} // namespace reveille::vmm::sim
