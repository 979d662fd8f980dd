// Where messages lie until the CPU's own thread takes them.
#pragma once

#include "vmm/lapic/message.hpp"
#include "vmm/lapic/vector_set.hpp"

#include <atomic>
#include <mutex>
#include <optional>

namespace reveille::vmm::lapic {

/// What came since the last look. An INIT comes before all the rest: what was there when it came
/// is void.
struct Mail {
  bool init = false;
  std::optional<std::uint8_t> startup; ///< the first SIPI's vector: it starts the CPU, which ignores the next
  bool nmi = false;                    ///< one is kept, as a processor keeps one
  VectorSet edge;                      ///< fixed and lowest-priority
  VectorSet level;
  bool illegal = false; ///< vectors that are none came too
};

/// Any thread posts; one takes. Bounded: messages of a kind merge, as they do in IRR.
class Inbox {
public:
  void post(const Message &message);

  /// Whether there is something to take. Sequentially consistent: a thread that says what it is about
  /// to do and then finds nothing here will be seen doing so by whoever posts after.
  [[nodiscard]] bool any() const { return any_.load(std::memory_order_seq_cst); }

  [[nodiscard]] Mail take();

private:
  std::mutex mutex_; ///< guards mail_
  Mail mail_;
  std::atomic<bool> any_ = false;
};

} // namespace reveille::vmm::lapic
