// What connects the LAPICs of a machine.
#pragma once

#include "vmm/lapic/message.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace reveille::vmm::lapic {

/// Takes what is sent to one LAPIC. Any thread calls it.
class Receiver {
public:
  Receiver() = default;
  virtual ~Receiver() = default;
  Receiver(const Receiver &) = delete;
  Receiver &operator=(const Receiver &) = delete;

  virtual void receive(const Message &message) = 0;
};

/// Knows of each LAPIC where it is, and no more: a sender never looks into another LAPIC.
class Bus {
public:
  /// For `count` LAPICs, none of which is there yet.
  explicit Bus(std::size_t count) : receivers_(count), addresses_(count) {}

  /// LAPIC `index`, from 0. All of them before any message is sent.
  void attach(std::size_t index, Receiver &receiver) { receivers_.at(index) = &receiver; }

  /// What LAPIC `index` answers to from now on. Its own thread.
  void publish(std::size_t index, const Address &address) {
    addresses_[index].store(address.packed(), std::memory_order_release); // pairs with address()
  }
  [[nodiscard]] Address address(std::size_t index) const {
    return Address::unpacked(addresses_[index].load(std::memory_order_acquire));
  }

  /// Whether somebody takes an INIT or a SIPI that LAPIC `sender` sends to one destination, in the bus's
  /// place.
  using Interceptor = std::function<bool(std::size_t sender, const Destination &to, const Message &message)>;
  /// Before any message is sent. It is called by the thread of the sender.
  void intercept(Interceptor interceptor) { interceptor_ = std::move(interceptor); }

  /// Sends what LAPIC `sender` asks for; to any number, also to none. Any thread.
  void send(std::size_t sender, const Ipi &ipi);

  /// Sends from outside (11.11 "Message Signalled Interrupts"). How many took it.
  std::size_t send(const Destination &to, const Message &message);

private:
  [[nodiscard]] bool is_intercepted(std::size_t sender, const Ipi &ipi) const;
  [[nodiscard]] std::size_t send_to_lowest(const Destination &to, const Message &message,
                                           std::optional<std::size_t> but = {});

  Interceptor interceptor_;
  std::vector<Receiver *> receivers_;
  std::vector<std::atomic<std::uint64_t>> addresses_; ///< packed; in one piece, for every message reads all
};

} // namespace reveille::vmm::lapic
