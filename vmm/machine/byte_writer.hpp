// Writes little-endian structures that a manual lays out byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace reveille::vmm {

class ByteWriter {
public:
  void u8(std::uint8_t value) { number(value, 1); }
  void u16(std::uint16_t value) { number(value, 2); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }

  /// The characters alone, no terminator.
  void text(std::string_view text) {
    for (const char c : text)
      bytes_.push_back(static_cast<std::byte>(c));
  }

  /// Zeros until `size` bytes are written; nothing when there are as many already.
  void zeros_to(std::size_t size) {
    if (bytes_.size() < size)
      bytes_.resize(size);
  }

  void append(const ByteWriter &other) {
    bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
  }

  [[nodiscard]] const std::vector<std::byte> &bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

private:
  void number(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i)
      bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }

  std::vector<std::byte> bytes_;
};

} // namespace reveille::vmm
