#include "vmm/machine/platform.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

// Registers by their offset, PC16550D table II.
constexpr std::uint16_t kData = 0;            // THR; the divisor's low half when DLAB is set
constexpr std::uint16_t kInterruptId = 2;     // IIR
constexpr std::uint16_t kLineControl = 3;     // LCR
constexpr std::uint16_t kLineStatus = 5;      // LSR
constexpr std::uint16_t kModemStatus = 6;     // MSR
constexpr std::uint16_t kScratch = 7;         // SCR
constexpr std::uint8_t kDivisorAccess = 0x80; // LCR.DLAB
constexpr std::uint8_t kNoInterrupt = 0x01;   // IIR
constexpr std::uint8_t kEmpty = 0x60;         // LSR.THRE and TEMT
constexpr std::uint8_t kConnected = 0xb0;     // MSR: DCD, DSR, CTS

bool is_serial(std::uint16_t port) { return port >= Serial::kBase && port < Serial::kBase + Serial::kPorts; }

} // namespace

void Serial::write(std::uint16_t offset, std::uint8_t value) {
  if (offset == kLineControl)
    line_control_ = value;
  else if (offset == kScratch)
    scratch_ = value;
  else if (offset == kData && (line_control_ & kDivisorAccess) == 0)
    put(static_cast<char>(value));
}

std::uint8_t Serial::read(std::uint16_t offset) const {
  switch (offset) {
  case kInterruptId:
    return kNoInterrupt;
  case kLineControl:
    return line_control_;
  case kLineStatus:
    return kEmpty;
  case kModemStatus:
    return kConnected;
  case kScratch:
    return scratch_;
  default:
    return 0;
  }
}

void Serial::put(char c) {
  if (c == '\r' || total_ >= kMaxTotal)
    return;
  ++total_;
  if (c == '\n' || line_.size() >= kMaxLine)
    end_line();
  if (c != '\n')
    line_ += c >= ' ' && c <= '~' ? c : '?';
}

void Serial::end_line() {
  lines_.push_back(std::move(line_));
  line_.clear();
}

std::vector<std::string> Serial::lines() const {
  std::vector<std::string> lines = lines_;
  if (!line_.empty())
    lines.push_back(line_);
  return lines;
}

void Platform::write(const IoOut &access) {
  const std::lock_guard lock(mutex_);
  if (!is_serial(access.port)) {
    note(access);
    return;
  }
  // Byte by byte, as the bus would split a wider access; a string goes to one port.
  for (std::size_t i = 0; i < access.data.size(); ++i) {
    const auto lane = static_cast<std::uint16_t>(i % std::max<std::size_t>(access.size, 1));
    const auto offset = static_cast<std::uint16_t>(access.port - Serial::kBase + lane);
    if (offset < Serial::kPorts)
      serial_.write(offset, access.data[i]);
  }
}

void Platform::write(const MmioWrite &access) {
  const std::lock_guard lock(mutex_);
  note(access);
}

std::uint32_t Platform::read(const IoIn &access) {
  const std::lock_guard lock(mutex_);
  if (!is_serial(access.port)) {
    note(access);
    return UINT32_MAX;
  }
  std::uint32_t value = 0;
  for (unsigned lane = 0; lane < sizeof value; ++lane) {
    const auto offset = static_cast<std::uint16_t>(access.port - Serial::kBase + lane);
    value |= std::uint32_t{offset < Serial::kPorts ? serial_.read(offset) : std::uint8_t{0xff}} << (8 * lane);
  }
  return value;
}

std::uint64_t Platform::read(const MmioRead &access) {
  const std::lock_guard lock(mutex_);
  note(access);
  return UINT64_MAX;
}

std::vector<std::string> Platform::serial_lines() const {
  const std::lock_guard lock(mutex_);
  return serial_.lines();
}

void Platform::note(const Exit &access) {
  if (notes_ == kMostNotes)
    return;
  ++notes_;
  spdlog::debug("nobody there: {}{}", describe(access),
                notes_ == kMostNotes ? "; no more of this is logged" : "");
}

} // namespace reveille::vmm
