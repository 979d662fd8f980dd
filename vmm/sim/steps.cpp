#include "vmm/sim/steps.hpp"

#include "vmm/sim/environment.hpp"
#include "vmm/sim/resources.hpp"

#include <array>
#include <stdexcept>

namespace reveille::vmm::sim {

namespace {

using core::StepTarget;

int step_area(EnvironmentBase &env, StepTarget &target) {
  target.token = env.take_area(target);
  return target.token == 0 ? int{protocol::kNoMemory} : 0;
}
void undo_area(EnvironmentBase &env, const StepTarget &target) {
  if (target.token != 0) // a half-done step may have taken none
    env.put_area(target);
}

/// Steps that take something into use, and let go of it: a flag of the area, which must not be
/// set before. A teardown accepts a step that is half done.
template <bool Area::*kFlag> int take_into_use(EnvironmentBase &env, StepTarget &target) {
  Area &area = env.area(target);
  if (area.*kFlag)
    env.panic("a step is done twice for one attempt");
  area.*kFlag = true;
  return 0;
}
template <bool Area::*kFlag> void let_go(EnvironmentBase &env, const StepTarget &target) {
  env.area(target).*kFlag = false;
}

int step_tsc(EnvironmentBase &env, StepTarget &target) {
  static_cast<void>(env.area(target));
  const std::uint64_t first = env.now();
  env.relax();
  return env.now() > first ? 0 : int{protocol::kNoSuchDevice};
}
void undo_tsc(EnvironmentBase &env, const StepTarget &target) { static_cast<void>(env.area(target)); }

int step_worker(EnvironmentBase &env, StepTarget &target) {
  Area &area = env.area(target);
  area.answered = false;
  area.asked = true;
  env.send_work();
  // Half a turn: the failure is to be reported before the CP takes it for a silence. The area is
  // looked for anew each time, because the pool moves when it grows.
  return env.wait_by([&] { return env.area(target).answered; }, env.now() + env.timeout() / 2)
             ? 0
             : int{protocol::kTimedOut};
}

/// Of protocol::kGuestSteps, in their order.
constexpr std::array kBodies = {
    StepBody{step_area, undo_area},
    StepBody{take_into_use<&Area::has_tables>, let_go<&Area::has_tables>},
    StepBody{take_into_use<&Area::has_lapic>, let_go<&Area::has_lapic>},
    StepBody{take_into_use<&Area::has_timer>, let_go<&Area::has_timer>},
    StepBody{step_tsc, undo_tsc},
    StepBody{step_worker, let_go<&Area::asked>},
};
static_assert(kBodies.size() == protocol::kGuestSteps.size());

} // namespace

Steps make_steps() {
  Steps steps;
  for (std::size_t i = 0; i < kBodies.size(); ++i) {
    const protocol::StepSpec &spec = protocol::kGuestSteps[i];
    const core::StepInfo info{spec.name, spec.concurrent, spec.remote_teardown};
    if (steps.add(spec.section, info, kBodies[i]) != core::Registered::kYes)
      throw std::logic_error("the table of steps does not hold the guest's");
  }
  return steps;
}

} // namespace reveille::vmm::sim
