// The owner of one memory mapping.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

namespace reveille::vmm {

/// Owns an mmap()ed range and unmaps it. Move-only; its address never changes, so pointers
/// into it survive a move.
class Mapping {
public:
  Mapping() = default;
  Mapping(Mapping &&other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping &operator=(Mapping &&other) noexcept {
    if (this != &other) {
      reset();
      base_ = std::exchange(other.base_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  Mapping(const Mapping &) = delete;
  Mapping &operator=(const Mapping &) = delete;
  ~Mapping() { reset(); }

  /// Maps `size` bytes of `fd` from its start, shared, or (fd -1) of anonymous memory whose
  /// pages come into being when they are touched. Returns an unmapped object and leaves
  /// errno set when the kernel refuses.
  [[nodiscard]] static Mapping map(int fd, std::size_t size) {
    const int flags = fd >= 0 ? MAP_SHARED : (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    void *base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    Mapping mapping;
    if (base != MAP_FAILED) {
      mapping.base_ = static_cast<std::byte *>(base);
      mapping.size_ = size;
    }
    return mapping;
  }

  [[nodiscard]] bool is_mapped() const { return base_ != nullptr; }
  [[nodiscard]] std::span<std::byte> bytes() const { return {base_, size_}; }

  void reset() {
    if (base_ != nullptr)
      ::munmap(base_, size_);
    base_ = nullptr;
    size_ = 0;
  }

private:
  std::byte *base_ = nullptr;
  std::size_t size_ = 0;
};

} // namespace reveille::vmm
