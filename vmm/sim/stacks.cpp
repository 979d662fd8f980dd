#include "vmm/sim/stacks.hpp"

#include "vmm/sim/sanitizer.hpp"

#include <algorithm>
#include <new>

namespace reveille::vmm::sim {

void Stacks::add_chunk() {
  Mapping chunk = Mapping::map(-1, kPerChunk * size_);
  if (!chunk.is_mapped())
    throw std::bad_alloc();
  // A huge page would make all of its stacks real at the first touch of one.
  static_cast<void>(::madvise(chunk.bytes().data(), chunk.bytes().size(), MADV_NOHUGEPAGE));
  // Where another machine's stacks were, with frames that have never returned.
  asan::forget_frames(chunk.bytes().data(), chunk.bytes().size());
  free_.reserve(free_.size() + kPerChunk);
  for (std::size_t i = kPerChunk; i-- > 0;)
    free_.push_back(chunk.bytes().data() + i * size_);
  chunks_.push_back(std::move(chunk));
}

Stack Stacks::take() {
  if (free_.empty())
    add_chunk();
  std::byte *low = free_.back();
  free_.pop_back();
  most_in_use_ = std::max(most_in_use_, ++in_use_);
  return {low, size_};
}

void Stacks::put(Stack stack) {
  asan::forget_frames(stack.low, stack.size);
  free_.push_back(stack.low);
  --in_use_;
}

bool Stacks::is_whole(const Stack &stack) {
  return std::all_of(stack.low, stack.low + kCanaryBytes, [](std::byte b) { return b == std::byte{0}; });
}

} // namespace reveille::vmm::sim
