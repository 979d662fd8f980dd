#include "vmm/scenario/chance.hpp"

#include <random>

namespace reveille::vmm {

bool is_lucky(std::uint64_t seed, std::size_t fault, const FaultSpec &spec, CpuIndex cpu,
              std::uint32_t chance) {
  if (spec.probability >= 1)
    return true;
  const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  std::seed_seq words{low(seed), low(seed >> 32), low(fault), low(cpu), chance};
  std::mt19937_64 dice(words);
  return std::generate_canonical<double, 53>(dice) < spec.probability;
}

} // namespace reveille::vmm
