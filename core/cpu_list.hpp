// Lists of CPUs without allocation: each CPU is in at most one of them at a time.
#pragma once

#include <cstdint>

namespace reveille::core {

inline constexpr std::uint32_t kNoCpu = 0xffffffff;

class CpuList;

/// A CPU's place in the list that it is in.
struct CpuLink {
  std::uint32_t next = kNoCpu;
  std::uint32_t before = kNoCpu;
  CpuList *list = nullptr;
};

/// A queue of CPUs, threaded through links that the caller keeps, one for each CPU.
class CpuList {
public:
  [[nodiscard]] bool empty() const { return head_ == kNoCpu; }
  [[nodiscard]] std::uint32_t front() const { return head_; }

  template <class Links> void push_back(Links &links, std::uint32_t cpu) {
    CpuLink &link = links(cpu);
    link = {kNoCpu, tail_, this};
    (tail_ == kNoCpu ? head_ : links(tail_).next) = cpu;
    tail_ = cpu;
  }

  template <class Links> void push_front(Links &links, std::uint32_t cpu) {
    CpuLink &link = links(cpu);
    link = {head_, kNoCpu, this};
    (head_ == kNoCpu ? tail_ : links(head_).before) = cpu;
    head_ = cpu;
  }

  /// Takes a CPU out, which must be in this list.
  template <class Links> void remove(Links &links, std::uint32_t cpu) {
    CpuLink &link = links(cpu);
    (link.before == kNoCpu ? head_ : links(link.before).next) = link.next;
    (link.next == kNoCpu ? tail_ : links(link.next).before) = link.before;
    link = {};
  }

  /// Takes the first one out, which there must be.
  template <class Links> [[nodiscard]] std::uint32_t take_front(Links &links) {
    const std::uint32_t cpu = head_;
    remove(links, cpu);
    return cpu;
  }

private:
  std::uint32_t head_ = kNoCpu;
  std::uint32_t tail_ = kNoCpu;
};

} // namespace reveille::core
