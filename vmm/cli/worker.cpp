#ifdef REVEILLE_HAS_LAB
#include "vmm/cli/commands.hpp"
#include "vmm/lab/machine_stock.hpp"
#include "vmm/suite/orders.hpp"

namespace reveille::vmm {

int worker(const Arguments &arguments) {
  if (!arguments.empty())
    return usage_error("worker", "it takes no arguments: vmm suite starts it, and tells it what to run");
  MachineStock stock(true);
  serve_orders([&stock](const Arguments &words) -> std::optional<int> {
    if (words.front() != "run")
      return std::nullopt;
    return run_with(&stock, Arguments(words.begin() + 1, words.end()));
  });
  return flushed(0);
}

} // namespace reveille::vmm
#endif
