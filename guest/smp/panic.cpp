#include "guest/smp/panic.hpp"

#include "guest/run/output.hpp"
#include "guest/smp/events.hpp"
#include "guest/x86/vectors.hpp"

namespace reveille::guest::smp {

namespace {

[[noreturn]] void end(std::uint64_t rip, std::uint64_t vector, std::uint64_t error) {
  x86::interrupts_off();
  PerCpu &me = this_cpu();
  const auto point = static_cast<std::uint64_t>(me.owed);
  if (me.slot != nullptr)
    record(me, abi::EventKind::kPanic, me.cpu, me.attempt, rip, vector | (point << 8) | (error << 32));
  run::report_panic(me.cpu, me.owed, rip, vector, error);
  x86::halt_forever();
}

} // namespace

void panic() { end(reinterpret_cast<std::uint64_t>(__builtin_return_address(0)), x86::kBrokenInvariant, 0); }

void panic(const x86::InterruptFrame &frame) { end(frame.rip, frame.vector, frame.error); }

} // namespace reveille::guest::smp
