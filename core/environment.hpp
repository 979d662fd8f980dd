// What differs between the guest, the tests and the model checker, as concepts. The core
// itself has no clock, no I/O, no allocation and no instruction of any architecture.
#pragma once

#include "core/abi/event.hpp"
#include "core/abi/place.hpp"
#include "core/abi/word.hpp"
#include "core/steps.hpp"

#include <atomic>
#include <concepts>
#include <cstdint>

namespace reveille::core {

using abi::State;
using abi::Word;

/// A shared 64-bit cell with std::atomic's operations and memory orders.
template <class A>
concept AtomicCell = requires(A &a, std::uint64_t &expected, std::uint64_t v) {
  { a.load(std::memory_order_acquire) } -> std::same_as<std::uint64_t>;
  {a.store(v, std::memory_order_release)};
  { a.exchange(v, std::memory_order_acquire) } -> std::same_as<std::uint64_t>;
  { a.fetch_or(v, std::memory_order_release) } -> std::same_as<std::uint64_t>;
  {
    a.compare_exchange_strong(expected, v, std::memory_order_acq_rel, std::memory_order_acquire)
    } -> std::same_as<bool>;
};

/// What both sides have.
template <class E>
concept Environment = requires(E &env, abi::EventKind kind, std::uint64_t v, unsigned cpu,
                               std::uint32_t attempt, Section section, unsigned i, StepTarget &target) {
  /// The sync word of a CPU, and the two lines of its TSC rendezvous.
  requires AtomicCell<std::remove_reference_t<decltype(env.word(cpu))>>;
  requires AtomicCell<std::remove_reference_t<decltype(env.tsc_ap(cpu).mark)>>;
  requires AtomicCell<std::remove_reference_t<decltype(env.tsc_ap(cpu).tsc)>>;
  requires AtomicCell<std::remove_reference_t<decltype(env.tsc_cp(cpu).mark)>>;
  /// The time stamp counter of the CPU that asks, in ticks.
  { env.now() } -> std::same_as<std::uint64_t>;
  /// Records an event about (cpu, attempt) in the ring of the CPU that asks.
  {env.log(kind, cpu, attempt, v, v)};
  /// How many steps a section has, what they are, and doing them. A startup returns 0 or
  /// a negative error. A teardown cannot fail, and must accept a step that is half done.
  { env.step_count(section) } -> std::same_as<unsigned>;
  { env.step_info(section, i) } -> std::convertible_to<StepInfo>;
  { env.start_step(section, i, target) } -> std::same_as<int>;
  {env.undo_step(section, i, target)};
  /// Interrupts `cpu`, or makes its wait() look again; a full barrier comes first. A wake
  /// for a CPU that is not waiting must not be lost.
  {env.wake(cpu)};
  /// The lease of a CPU as a control CPU.
  requires AtomicCell<std::remove_reference_t<decltype(env.lease(cpu))>>;
  /// One turn of a short spin.
  {env.relax()};
};

/// The AP's side: an object on the AP, for one claimed attempt.
template <class E>
concept ApEnvironment = Environment<E> && requires(E &env, abi::Place place, unsigned cpu, bool (*until)(),
                                                   std::uint64_t ticks, unsigned step, int error) {
  { env.cpu() } -> std::same_as<unsigned>;
  /// The AP is at a place: calls the host if it has armed it.
  {env.at(place)};
  /// Waits until until() holds; the second form gives up after that many ticks and then
  /// returns false. No wake that makes until() hold may be lost between looking and halting.
  {env.wait(until)};
  { env.wait_for(until, ticks) } -> std::same_as<bool>;
  /// Which CPU brings this one up, and wants to be told of an arrival; CPU 0 through the map
  /// (core/arrivals.hpp). May be out of date, for it is only told of what is in the word; but
  /// a full barrier comes first, so that who publishes himself after the arrival sees it.
  {env.arrivals()};
  { env.control_cpu() } -> std::same_as<unsigned>;
  /// The account of a failed step, kept with the attempt's own area.
  {env.put_failure(step, error)};
  /// Becomes able to take cross-calls: turns interrupts on and is in the idle loop.
  {env.enter_idle()};
  /// Halts in the idle loop until until() holds, whatever the run says about waiting.
  {env.idle(until)};
  /// Leaves thread context again, interrupts off.
  {env.leave_idle()};
  /// The token of StepTarget for this attempt.
  { env.token() } -> std::same_as<std::uint32_t>;
};

/// Tells the CP that this AP has something for it to see.
template <ApEnvironment E> void announce(E &env) {
  // Another control CPU than CPU 0 has one AP at a time, and looks at its word.
  if (const unsigned control = env.control_cpu(); control != 0 || env.arrivals().raise(env.cpu()))
    env.wake(control);
}

/// How many steps there are now.
template <Environment E> [[nodiscard]] StepCounts step_counts(E &env) {
  return {env.step_count(Section::kPrepare), env.step_count(Section::kStarting),
          env.step_count(Section::kOnline)};
}

/// The account of a failed step: its index in its section, and its error, negative.
struct Failure {
  unsigned step = 0;
  int error = 0;
};

/// The CP's side: an object on the control CPU.
template <class E>
concept CpEnvironment = Environment<E> &&
    requires(E &env, unsigned cpu, std::uint32_t attempt, StepTarget target, std::uint32_t ordinal,
             std::uint32_t cycle, bool (*until)(), std::uint64_t deadline, bool frozen) {
  /// The CP is about to kick `cpu`: calls the host if it has armed that.
  {env.at_kick(cpu)};
  /// The CPU that this is.
  { env.cpu() } -> std::same_as<unsigned>;
  /// Publishes what the AP may look up about its attempt (its token, by the page of the
  /// attempt), and for the host the attempt's ordinal within the cycle and the cycle. The
  /// kick's swap releases it.
  {env.publish_attempt(target, ordinal, cycle)};
  /// Makes this CPU the one that the AP tells of its arrivals. A full barrier follows: of an
  /// arrival that it is not told of, it then sees the word.
  {env.publish_control(cpu)};
  /// Nobody may register a step, or somebody may again.
  {env.freeze_steps(frozen)};
  /// The primary thread of a CPU's core; a primary is its own.
  { env.primary_of(cpu) } -> std::same_as<unsigned>;
  /// Starts the AP: INIT, SIPI, SIPI on x86, with the vector of page attempt mod kPages. A
  /// full barrier comes first. Must not wait for the AP.
  {env.kick(cpu, attempt)};
  /// Whether one broadcast can start every other CPU, and those alone that are to be brought up: while
  /// none has been started. And kicks them all by that, for the attempt with the same number.
  { env.can_kick_all() } -> std::same_as<bool>;
  {env.kick_all(attempt)};
  /// Stops an AP that was given up: INIT on x86. Proves nothing.
  {env.stop(cpu, attempt)};
  /// Waits until a wake, or until now() reaches the deadline; returns at once if until()
  /// holds. Any return is only a hint.
  {env.wait_until(until, deadline)};
  {env.arrivals()};
  /// What the AP of this attempt wrote by put_failure.
  { env.failure(target) } -> std::same_as<Failure>;
};

} // namespace reveille::core
