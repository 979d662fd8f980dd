// Slices of one track while it is being told: those that have begun and not ended are a stack.
#pragma once

#include "vmm/story/story.hpp"

#include <utility>
#include <vector>

namespace reveille::vmm {

/// Makes slices that nest, whatever the order of what it is told. Times must not run backwards.
class Nest {
public:
  [[nodiscard]] std::size_t depth() const { return open_.size(); }
  [[nodiscard]] Slice *top() { return open_.empty() ? nullptr : &slices_[open_.back()]; }
  [[nodiscard]] Slice *at(std::size_t depth) {
    return depth < open_.size() ? &slices_[open_[depth]] : nullptr;
  }

  /// Begins a slice in the innermost one that is open.
  Slice &open(Slice slice, double us) {
    slice.begin_us = slice.end_us = us;
    slice.depth = static_cast<unsigned>(open_.size());
    open_.push_back(slices_.size());
    slices_.push_back(std::move(slice));
    return slices_.back();
  }

  /// Ends all slices from that depth on, in that way; but of a step in one of them nobody has written
  /// down the end.
  void close(std::size_t depth, double us, SliceEnd how) {
    while (open_.size() > depth) {
      Slice &slice = slices_[open_.back()];
      slice.end_us = us;
      const bool step = slice.kind == SliceKind::kStep || slice.kind == SliceKind::kUndoStep;
      slice.end = open_.size() == depth + 1 || !step ? how : SliceEnd::kOpen;
      open_.pop_back();
    }
  }

  /// All slices, those that are still open cut at `end_us`.
  [[nodiscard]] std::vector<Slice> take(double end_us) && {
    close(0, end_us, SliceEnd::kOpen);
    return std::move(slices_);
  }

private:
  std::vector<Slice> slices_; ///< by begin
  std::vector<std::size_t> open_;
};

} // namespace reveille::vmm
