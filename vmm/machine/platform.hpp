// What the guest finds behind ports and addresses that are not the lab's own: a serial port
// that only talks, and nothing.
#pragma once

#include "vmm/kvm/exit.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace reveille::vmm {

/// COM1 as far as output needs it: always ready, no input, no interrupt. Collects lines.
/// Source: PC16550D data sheet, registers THR, LSR, LCR, SCR.
class Serial {
public:
  static constexpr std::uint16_t kBase = 0x3f8;
  static constexpr std::uint16_t kPorts = 8;
  static constexpr std::size_t kMaxLine = 512;         ///< bytes; longer ones are broken
  static constexpr std::size_t kMaxTotal = 256 * 1024; ///< bytes kept; what follows is not

  void write(std::uint16_t offset, std::uint8_t value); ///< offset from kBase
  [[nodiscard]] std::uint8_t read(std::uint16_t offset) const;

  /// Whole lines so far, without their ends, printable ASCII; an unfinished one at the end.
  [[nodiscard]] std::vector<std::string> lines() const;

private:
  void put(char c);
  void end_line();

  std::vector<std::string> lines_;
  std::string line_;
  std::size_t total_ = 0;
  std::uint8_t line_control_ = 0;
  std::uint8_t scratch_ = 0;
};

/// Answers every access that nobody else wants: reads of nothing are all ones, writes to
/// nothing are dropped, the first of them logged at debug level. Any thread.
class Platform {
public:
  void write(const IoOut &access);
  void write(const MmioWrite &access);

  /// The value for Vcpu::reply_io and Vcpu::reply_mmio.
  [[nodiscard]] std::uint32_t read(const IoIn &access);
  [[nodiscard]] std::uint64_t read(const MmioRead &access);

  [[nodiscard]] std::vector<std::string> serial_lines() const;

private:
  void note(const Exit &access);

  static constexpr unsigned kMostNotes = 32;

  mutable std::mutex mutex_;
  Serial serial_;
  unsigned notes_ = 0;
};

} // namespace reveille::vmm
