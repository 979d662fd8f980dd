#include "guest/run/output.hpp"

#include "guest/run/serial.hpp"
#include "guest/smp/events.hpp"

#include <array>
#include <atomic>

namespace reveille::guest::run {

constinit abi::ControlPage *control_page = nullptr;
constinit bool has_host = false;

namespace {

/// Who writes to the serial port; lines of CPUs that panic together shall not mix. Taken
/// with a bound: its holder may have died, and mixed lines are better than none.
constinit std::atomic<std::uint32_t> serial_taken = 0;

void write_line(std::string_view line) {
  constexpr unsigned kPatience = 1'000'000;
  for (unsigned i = 0; i < kPatience && serial_taken.exchange(1, std::memory_order_acquire) != 0; ++i)
    x86::pause();
  write_serial(line);
  serial_taken.store(0, std::memory_order_release);
}

constexpr std::array<std::string_view, 7> kRefusals = {"none",      "version",  "no-acpi",    "too-many",
                                                       "no-memory", "no-clock", "no-low-page"};

} // namespace

void say(Line &line) {
  if (!has_host)
    write_line(line.finish());
}

void refuse(abi::Refusal why) {
  if (has_host) {
    if (control_page != nullptr)
      control_page->report.refusal.store(static_cast<std::uint32_t>(why), std::memory_order_release);
    smp::ring(abi::Ring::kRefused, abi::Place::kZero, 0);
    x86::halt_forever();
  }
  Line line;
  say(line.field("refused", kRefusals[static_cast<std::size_t>(why)]));
  exit_qemu(false);
}

void report_panic(const smp::Panic &panic) {
  if (has_host) {
    smp::ring(abi::Ring::kPanic, abi::Place::kZero, panic.cpu);
    return;
  }
  Line line;
  say(line.word("panic")
          .field("cpu", panic.cpu)
          .field("point", protocol::name(panic.owed))
          .field("vector", panic.vector)
          .hex_field("error", panic.error)
          .hex_field("rip", panic.rip));
  if (panic.cpu == 0)
    exit_qemu(false);
}

void exit_qemu(bool good) {
  constexpr std::uint16_t kDebugExit = 0xf4; // QEMU: status = value * 2 + 1
  constexpr std::uint8_t kGood = 0x10;
  constexpr std::uint8_t kBad = 0x11;
  x86::out8(kDebugExit, good ? kGood : kBad);
  x86::halt_forever(); // there is no such device
}

} // namespace reveille::guest::run
