#include "vmm/lapic/bus.hpp"

namespace reveille::vmm::lapic {

bool Bus::is_intercepted(std::size_t sender, const Ipi &ipi) const {
  const Delivery what = ipi.message.delivery;
  return interceptor_ && (what == Delivery::kInit || what == Delivery::kStartup) &&
         interceptor_(sender, ipi.to, ipi.message);
}

void Bus::send(std::size_t sender, const Ipi &ipi) {
  switch (ipi.shorthand) {
  case Shorthand::kNone:
    if (!is_intercepted(sender, ipi))
      static_cast<void>(send(ipi.to, ipi.message));
    return;
  case Shorthand::kSelf:
    receivers_[sender]->receive(ipi.message);
    return;
  case Shorthand::kAll:
  case Shorthand::kOthers:
    if (ipi.message.delivery == Delivery::kLowestPriority) {
      static_cast<void>(send_to_lowest({0, false, true}, ipi.message, sender)); // never with kAll
      return;
    }
    for (std::size_t i = 0; i < receivers_.size(); ++i)
      if ((i != sender || ipi.shorthand == Shorthand::kAll) && address(i).mode != Mode::kDisabled)
        receivers_[i]->receive(ipi.message);
    return;
  }
}

std::size_t Bus::send(const Destination &to, const Message &message) {
  if (message.delivery == Delivery::kLowestPriority)
    return send_to_lowest(to, message);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < receivers_.size(); ++i)
    if (address(i).matches(to)) {
      receivers_[i]->receive(message);
      ++taken;
    }
  return taken;
}

/// 11.6.2.4 "Lowest Priority Delivery Mode": the one whose task priority is lowest, and the first of those.
std::size_t Bus::send_to_lowest(const Destination &to, const Message &message,
                                std::optional<std::size_t> but) {
  std::optional<std::size_t> chosen;
  unsigned lowest = 0;
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    const Address of = address(i);
    if (i == but || !of.matches(to) || (chosen && of.tpr >= lowest))
      continue;
    chosen = i;
    lowest = of.tpr;
  }
  if (!chosen)
    return 0;
  receivers_[*chosen]->receive(message);
  return 1;
}

} // namespace reveille::vmm::lapic
