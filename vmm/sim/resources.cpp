#include "vmm/sim/resources.hpp"

#include <new>

namespace reveille::vmm::sim {

std::uint32_t Areas::take(const core::StepTarget &target) {
  std::uint32_t token = free_;
  if (token != 0) {
    free_ = areas_[token - 1].next_free;
  } else {
    try {
      areas_.emplace_back();
    } catch (const std::bad_alloc &) { // must not leave the stack of a CPU
      return 0;
    }
    token = static_cast<std::uint32_t>(areas_.size());
  }
  areas_[token - 1] = {};
  areas_[token - 1].cpu = target.cpu;
  areas_[token - 1].attempt = target.attempt;
  ++in_use_;
  return token;
}

Area *Areas::find(const core::StepTarget &target) {
  if (target.token == 0 || target.token > areas_.size())
    return nullptr;
  Area &area = areas_[target.token - 1];
  return area.attempt == target.attempt && area.attempt != 0 && area.cpu == target.cpu ? &area : nullptr;
}

bool Areas::put(const core::StepTarget &target) {
  Area *area = find(target);
  if (area == nullptr)
    return false;
  area->attempt = 0;
  area->next_free = free_;
  free_ = target.token;
  --in_use_;
  return true;
}

} // namespace reveille::vmm::sim
