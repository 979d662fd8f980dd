#include "vmm/lapic/inbox.hpp"

#include <utility>

namespace reveille::vmm::lapic {

void Inbox::post(const Message &message) {
  const std::lock_guard lock(mutex_);
  switch (message.delivery) {
  case Delivery::kFixed:
  case Delivery::kLowestPriority:
    if (message.vector < kFirstLegalVector) {
      mail_.illegal = true;
    } else { // the last one says how it is triggered, as in TMR
      (message.level ? mail_.level : mail_.edge).add(message.vector);
      (message.level ? mail_.edge : mail_.level).remove(message.vector);
    }
    break;
  case Delivery::kNmi:
    mail_.nmi = true;
    break;
  case Delivery::kInit:
    mail_ = {};
    mail_.init = true;
    break;
  case Delivery::kStartup:
    mail_.startup = mail_.startup.value_or(message.vector);
    break;
  case Delivery::kSmi: // there is no system management mode here
  case Delivery::kReserved:
  case Delivery::kExtInt: // there is no PIC to ask for a vector
    return;
  }
  any_.store(true, std::memory_order_seq_cst);
}

Mail Inbox::take() {
  const std::lock_guard lock(mutex_);
  any_.store(false, std::memory_order_seq_cst);
  return std::exchange(mail_, {});
}

} // namespace reveille::vmm::lapic
