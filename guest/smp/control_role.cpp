#include "guest/smp/control_role.hpp"

namespace reveille::guest::smp {

constinit std::span<Seat> seats = {};
constinit std::atomic<std::uint32_t> *kicks = nullptr;

void serve_lease(PerCpu &me) {
  CpEnvironment env(me, *kicks);
  core::Delegate<CpEnvironment>(env, settings, seats).serve();
}

} // namespace reveille::guest::smp
