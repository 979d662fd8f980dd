#include "guest/smp/anchor.hpp"

#include "guest/smp/cpus.hpp"
#include "guest/x86/cpu.hpp"
#include "guest/x86/msr.hpp"
#include "guest/x86/tables.hpp"

namespace reveille::guest::smp {

constinit Anchor boot_anchor = {};
constinit Anchor *anchors = nullptr;

namespace {

template <std::size_t kSize> std::uint64_t top_of(std::byte (&stack)[kSize]) {
  return reinterpret_cast<std::uint64_t>(stack) + kSize;
}

template <class Home> void load_tables_of(Home &home) {
  x86::load_tables(home.tables,
                   {top_of(home.ist_stack[0]), top_of(home.ist_stack[1]), top_of(home.ist_stack[2])});
}

} // namespace

void load_anchor_tables(PerCpu &me) { load_tables_of(anchor(me.cpu)); }
void load_area_tables(PerCpu &me) { load_tables_of(*me.area); }

PerCpu &become(unsigned cpu, std::uint32_t attempt, std::uint32_t token) {
  PerCpu &me = anchor(cpu).per_cpu;
  me.self = &me;
  me.slot = slots == nullptr ? nullptr : &slots[cpu];
  me.event_end = 0;
  me.cpu = cpu;
  me.token = token;
  me.attempt = attempt;
  me.area = token == 0 ? nullptr : &areas.at(token);
  me.halting.store(0, std::memory_order_relaxed);
  me.owed = protocol::Point::kAlive;
  me.timer = 0;
  me.stray = 0;
  x86::wrmsr(x86::kIa32GsBase, reinterpret_cast<std::uint64_t>(&me));
  load_anchor_tables(me);
  return me;
}

} // namespace reveille::guest::smp
