// One child process: started, listened to, told to end, and reaped.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace reveille::vmm {

/// How a process ended.
struct ChildStatus {
  bool exited = false; ///< by itself; else by a signal
  int number = 0;      ///< its exit status, or the signal
};

/// A process in a process group of its own, whose output is kept here. Its standard input is empty, or
/// where it is given orders, and it inherits no other descriptor. It and its group get a SIGKILL when the
/// owner goes, and it gets one when the thread that started it ends, however that comes about.
class Child {
public:
  /// The most that is kept of standard output; what is beyond is read and dropped.
  static constexpr std::size_t kMostOutput = std::size_t{512} << 20;
  /// At least this much of the end of standard error is kept.
  static constexpr std::size_t kErrorTail = std::size_t{64} << 10;
  /// The exit status of a child that could not execute its program; its standard error says why.
  static constexpr int kCannotExecute = 127;

  /// What its standard input is. kOrders: a SOCK_SEQPACKET socket, of which it takes one order after the
  /// other (orders.hpp).
  enum class Input : std::uint8_t { kEmpty, kOrders };

  /// Runs `program` (a path) with these arguments, its own name in front. Fails, with status
  /// kBroken, where no process or pipe is to be had.
  [[nodiscard]] static Result<Child>
  start(const std::string &program, const std::vector<std::string> &arguments, Input input = Input::kEmpty);

  Child(Child &&other) noexcept;
  Child &operator=(Child &&) = delete;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Neither reaped nor given up.
  [[nodiscard]] bool is_alive() const { return pid_ != 0; }

  /// What to poll for input: the end of the process, its two outputs (-1 once they are closed).
  [[nodiscard]] int end_fd() const { return end_.get(); }
  [[nodiscard]] int out_fd() const { return out_pipe_.get(); }
  [[nodiscard]] int err_fd() const { return err_pipe_.get(); }

  /// Takes a piece of what has been written, without waiting. For when poll() says so.
  void read_out();
  void read_err();

  /// With Input::kOrders. What to poll for the answer to an order; -1 without.
  [[nodiscard]] int answer_fd() const { return orders_.get(); }
  /// Drops what was written before, and gives an order. False: it takes none, being at its end.
  [[nodiscard]] bool give(const std::vector<std::string> &words);
  /// The status of the order that was given, once it is carried out, with all of its output taken.
  [[nodiscard]] std::optional<int> answer();

  /// Sends a signal to the whole group.
  void tell(int signal) const;

  /// If the process has ended: ends what is left of its group, takes the rest of its output
  /// and reaps it. Empty: it has not ended. Not to be called again after that.
  [[nodiscard]] std::optional<ChildStatus> collect();

  /// Gives up on a process that does not even end by SIGKILL: it is left to itself.
  void abandon() { pid_ = 0; }

  [[nodiscard]] std::string take_out() { return std::move(out_); }
  [[nodiscard]] std::string take_err() { return std::move(err_); }
  [[nodiscard]] bool out_cut() const { return out_cut_; } ///< more came than is kept

private:
  Child(pid_t pid, Fd end, Fd out, Fd err, Fd orders);
  void take_rest();
  void keep_out(std::string_view text);
  void keep_err(std::string_view text);

  pid_t pid_; ///< 0: nothing to end any more
  Fd end_;
  Fd out_pipe_;
  Fd err_pipe_;
  Fd orders_; ///< our end; none with Input::kEmpty
  std::string out_;
  std::string err_;
  bool out_cut_ = false;
};

} // namespace reveille::vmm
