// What a suite and its workers say to each other, over a SOCK_SEQPACKET socket: an order is a list of words,
// each ended by a zero, in one packet; its answer is an exit status, in one packet.
#pragma once

#include "vmm/base/fd.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

/// False: the other side is gone, or the order is longer than a packet can be.
[[nodiscard]] bool send_order(const Fd &socket, const std::vector<std::string> &words);

/// Without waiting: the answer to the order that was sent, if it has come.
[[nodiscard]] std::optional<int> take_answer(const Fd &socket);

/// Carries out the orders that come on standard input, one after the other, until the other side is gone or
/// `carry_out` gives none. What is written meanwhile is out before the answer is. While it goes on, standard
/// input is empty.
void serve_orders(const std::function<std::optional<int>(const std::vector<std::string> &words)> &carry_out);

} // namespace reveille::vmm
