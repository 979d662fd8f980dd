// A run of the core under Relacy: what each thread does, and what must have come of it.
#pragma once

#include "relacy_machine.hpp"

#include <span>

namespace reveille::model {

using Seats = std::array<core::Seat<CpEnv>, kMaxAps + 1>;

/// What CPU 0 does: brings up, takes down, and then serves those who come late until all is proven.
inline void control_cpu(Machine &m, Seats &all_seats) {
  CpEnv env(m);
  const std::span<core::Seat<CpEnv>> seats = std::span(all_seats).first(m.settings.cpus);
  if (m.plan.first_in_turn) {
    core::Settings in_turn = m.settings;
    in_turn.strategy = abi::Strategy::kSerial;
    core::Driver<CpEnv>(env, in_turn, seats).bring_up();
  }
  core::Driver<CpEnv> driver(env, m.settings, seats);
  for (unsigned phase = m.plan.first_in_turn ? 1 : 0; phase < m.plan.phases; ++phase)
    if (phase % 2 == 0)
      driver.bring_up();
    else
      driver.take_down();
  const auto quarantined = [&] {
    unsigned n = 0;
    for (core::Seat<CpEnv> &seat : seats)
      n += seat.control.quarantined();
    return n;
  };
  while (m.plan.awaits_proof && quarantined() > 0) {
    driver.poll();
    if (quarantined() > 0)
      env.wait_until([&] { return m.arrivals.any(); }, driver.deadline());
  }
  unsigned online = 0;
  for (unsigned cpu = 1; cpu < m.settings.cpus; ++cpu) {
    const Cpu &c = m.cpu(cpu);
    online += c.online;
    RL_ASSERT(c.failed != (m.plan.phases % 2 == 1 ? c.online : c.down));
  }
  RL_ASSERT(m.areas_held == online + quarantined());
  m.over = true;
  for (unsigned cpu = 1; cpu < m.settings.cpus; ++cpu)
    m.ring(cpu);
}

/// One start of an AP, from the claim to its end.
inline void ap_start(Machine &m, Seats &seats, unsigned cpu, std::uint32_t page) {
  const core::Claim claim = core::claim(m.cpu(cpu).word, page, abi::kPages);
  if (!claim.won)
    return;
  ApEnv env(m, cpu, claim.word);
  core::ApSide<ApEnv> side(env, claim.word, m.settings);
  if (side.bring_up() == core::ApEnd::kActive) {
    core::ApCall call = side.idle();
    for (; call == core::ApCall::kControl; call = side.idle()) {
      CpEnv control(m, cpu);
      core::Delegate<CpEnv>(control, m.settings, std::span(seats).first(m.settings.cpus)).serve();
    }
    if (call == core::ApCall::kDown)
      side.go_down();
    else if (m.over)
      return;
  }
  core::come_to_rest(env, side.word());
}

/// What an AP's thread does: starts when it is kicked, and again when it is reset and kicked.
inline void ap_cpu(Machine &m, Seats &seats, unsigned thread) {
  for (;;) {
    try {
      while (m.start_page[thread] == 0 && !m.over)
        m.bell[thread].halt();
      if (m.start_page[thread] == 0)
        return;
      stage.reset[thread] = false; // taken, or there was nothing running to reset
      const std::uint32_t page = m.start_page[thread] - 1;
      m.start_page[thread] = 0;
      m.cpu(m.cpu_of(thread)).word.catch_up(); // the kick came after the word
      ap_start(m, seats, m.cpu_of(thread), page);
    } catch (const Reset &) {
      m.wake_died = true;
    }
  }
}

/// A run, as Relacy wants it. `Scene::plan()` says what is to happen.
template <class Scene, rl::thread_id_t kThreads = 2>
struct Run : rl::test_suite<Run<Scene, kThreads>, kThreads> {
  Machine machine{Scene::plan()};
  Seats seats;

  void thread(unsigned index) {
    if (index == 0)
      control_cpu(machine, seats);
    else
      ap_cpu(machine, seats, index);
    Bell::leave();
  }
  void after() {
    for (unsigned cpu = 1; cpu < machine.settings.cpus; ++cpu) {
      const Word last = Word::from(machine.cpu(cpu).word.latest());
      if (machine.plan.ends)
        RL_ASSERT(last.state == *machine.plan.ends);
      RL_ASSERT((last.state == State::kActive) == machine.cpu(cpu).online);
    }
  }
};

} // namespace reveille::model
