#include "guest/smp/panic.hpp"

#include "core/abi/panic.hpp"
#include "guest/smp/events.hpp"

namespace reveille::guest::smp {

constinit TellPanic tell_panic = nullptr;

namespace {

[[noreturn]] void end(std::uint64_t rip, std::uint64_t vector, std::uint64_t error) {
  x86::interrupts_off();
  PerCpu &me = this_cpu();
  if (me.slot != nullptr)
    record(me, abi::EventKind::kPanic, me.cpu, me.attempt, rip,
           abi::panicked(vector, static_cast<unsigned>(me.owed), error));
  tell_panic({me.cpu, me.owed, rip, vector, error});
  x86::halt_forever();
}

} // namespace

void panic() { end(reinterpret_cast<std::uint64_t>(__builtin_return_address(0)), abi::kBrokenInvariant, 0); }

void panic(const x86::InterruptFrame &frame) { end(frame.rip, frame.vector, frame.error); }

} // namespace reveille::guest::smp
