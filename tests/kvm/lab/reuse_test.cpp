// A machine that is used again: whatever was done to it, all that KVM lets one read of its vCPUs, and all of
// its memory, is as in a machine that was just built, or as in one that has just come to time zero.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/kvm/kvm.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/lab/machine_stock.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>

#include <cstring>
#include <functional>

namespace reveille::vmm::test {
namespace {

constexpr std::uint32_t kMsrKernelGsBase = 0xc000'0102; // SDM 4, table 2-2
constexpr std::size_t kLapicTimerCount = 0x380;         // SDM 3, table 11-1
constexpr std::size_t kLapicTimer = 0x320;
constexpr std::size_t kLapicRequest = 0x200;
constexpr std::size_t kLapicSpurious = 0xf0;

Scenario scenario_of(const std::string &apic, const std::string &rest = {}) {
  return must(parse_scenario(
      fmt::format("[machine]\nvcpus = 4\napic = '{}'\n[bringup]\ntimeout_ms = 2000\n{}", apic, rest),
      "made"));
}

template <class T> bool same(const T &a, const T &b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// What differs, by its name.
std::string difference(const VcpuState &a, const VcpuState &b) {
  std::string found;
  const auto look = [&found](const char *what, bool is_same) {
    found += is_same ? "" : fmt::format(" {}", what);
  };
  look("registers", same(a.general, b.general));
  look("special registers", same(a.special, b.special));
  look("FPU", same(a.extended, b.extended));
  look("XCR0", same(a.control, b.control));
  look("debug registers", same(a.debug, b.debug));
  look("events", same(a.events, b.events));
  look("MP state", a.mp == b.mp);
  look("CR8", a.cr8 == b.cr8);
  look("LAPIC", a.lapic.has_value() == b.lapic.has_value() && (!a.lapic || same(*a.lapic, *b.lapic)));
  look("number of MSRs", a.msrs.size() == b.msrs.size());
  for (std::size_t i = 0; i < std::min(a.msrs.size(), b.msrs.size()); ++i)
    look(fmt::format("MSR {:#x}", a.msrs[i].index).c_str(), same(a.msrs[i], b.msrs[i]));
  return found;
}

std::string difference(const MachineState &a, const MachineState &b) {
  std::string found;
  for (std::size_t cpu = 0; cpu < a.vcpus.size(); ++cpu)
    if (const std::string of = difference(a.vcpus[cpu], b.vcpus.at(cpu)); !of.empty())
      found += fmt::format("; CPU {}:{}", cpu, of);
  if (a.chips.has_value() != b.chips.has_value() || (a.chips && !same(*a.chips, *b.chips)))
    found += "; interrupt chips";
  return found;
}

/// The first byte that differs.
std::string difference(const GuestMemory::Copy &a, const GuestMemory::Copy &b) {
  for (std::size_t i = 0; i < std::max(a.pieces.size(), b.pieces.size()); ++i) {
    if (i >= a.pieces.size() || i >= b.pieces.size() || a.pieces[i].offset != b.pieces[i].offset ||
        a.pieces[i].bytes.size() != b.pieces[i].bytes.size())
      return fmt::format("other pages from piece {} on", i);
    const auto &bytes = a.pieces[i].bytes;
    const auto at =
        std::mismatch(bytes.begin(), bytes.end(), b.pieces[i].bytes.begin()).first - bytes.begin();
    if (at != std::ssize(bytes))
      return fmt::format("byte {:#x}", a.pieces[i].offset + static_cast<std::uint64_t>(at));
  }
  return "";
}

struct Whole {
  MachineState state;
  GuestMemory::Copy memory;
};

Whole whole(Machine &machine) { return {must(MachineState::of(machine)), must(machine.memory().copy())}; }

void expect_same(Machine &machine, const Whole &wanted, const std::string &after) {
  const Whole now = whole(machine);
  EXPECT_EQ(difference(now.state, wanted.state), "") << after;
  EXPECT_EQ(difference(now.memory, wanted.memory), "") << after;
}

/// What a run may have left, and more than that. Each must be possible in every LAPIC mode that it is for.
struct Spoil {
  const char *name;
  bool needs_lapic;
  std::function<void(Machine &)> spoil;
};

void expect_done(const Result<void> &done) { EXPECT_TRUE(done) << (done ? "" : done.error().message); }

void set_lapic(Machine &machine, CpuIndex cpu, std::size_t at, std::uint32_t value) {
  kvm_lapic_state lapic = must(machine.vcpu(cpu).lapic());
  std::memcpy(lapic.regs + at, &value, sizeof value);
  expect_done(machine.vcpu(cpu).set_lapic(lapic));
}

const Spoil kSpoils[] = {
    {"registers", false,
     [](Machine &m) {
       kvm_regs regs = must(m.vcpu(1).regs());
       regs.rax = 1;
       regs.rip = 0x1234;
       expect_done(m.vcpu(1).set_regs(regs));
     }},
    {"special registers", false,
     [](Machine &m) {
       kvm_sregs sregs = must(m.vcpu(2).sregs());
       sregs.cs.base = 0x8000;
       sregs.idt.limit = 0;
       expect_done(m.vcpu(2).set_sregs(sregs));
     }},
    {"an MSR", false, [](Machine &m) { expect_done(m.vcpu(3).set_msr(kMsrKernelGsBase, 0x1234'5678)); }},
    {"the FPU", false,
     [](Machine &m) {
       XsaveArea state = must(m.vcpu(1).xsave());
       state[40] = 0x5555'5555; // XMM0
       state[128] |= 3;         // XSTATE_BV: x87 and SSE are in use
       expect_done(m.vcpu(1).set_xsave(state));
     }},
    {"debug registers", false,
     [](Machine &m) {
       kvm_debugregs debug = must(m.vcpu(1).debugregs());
       debug.db[0] = 0x1000;
       expect_done(m.vcpu(1).set_debugregs(debug));
     }},
    {"an exception on its way", false,
     [](Machine &m) {
       kvm_vcpu_events events = must(m.vcpu(2).events());
       events.exception.injected = 1;
       events.exception.nr = 13;
       expect_done(m.vcpu(2).set_events(events));
     }},
    {"an NMI on its way", false, [](Machine &m) { expect_done(m.vcpu(3).nmi()); }},
    {"NMIs masked", false,
     [](Machine &m) {
       kvm_vcpu_events events = must(m.vcpu(1).events());
       events.nmi.masked = 1;
       expect_done(m.vcpu(1).set_events(events));
     }},
    {"a triple fault on its way", false, [](Machine &m) { expect_done(m.vcpu(2).inject_triple_fault()); }},
    {"CR8", false, [](Machine &m) { m.vcpu(1).set_cr8(5); }},
    {"halted", true, [](Machine &m) { expect_done(m.vcpu(1).set_mp_state(MpState::kHalted)); }},
    {"runnable", true, [](Machine &m) { expect_done(m.vcpu(2).set_mp_state(MpState::kRunnable)); }},
    {"an INIT that is pending", true,
     [](Machine &m) {
       expect_done(m.vcpu(3).set_mp_state(MpState::kRunnable));
       expect_done(m.bus().init(3));
     }},
    {"an INIT and a SIPI that are pending", true,
     [](Machine &m) {
       expect_done(m.bus().init(2));
       expect_done(m.bus().startup(2, 0x9a));
     }},
    {"an interrupt in the LAPIC", true, [](Machine &m) { set_lapic(m, 1, kLapicRequest + 0x10, 4); }},
    {"a LAPIC that is enabled", true, [](Machine &m) { set_lapic(m, 3, kLapicSpurious, 0x1ff); }},
    {"a timer that runs", true,
     [](Machine &m) {
       set_lapic(m, 1, kLapicTimer, 0x40);
       set_lapic(m, 1, kLapicTimerCount, 0x1000'0000);
     }},
    {"memory", false, [](Machine &m) { ASSERT_TRUE(m.memory().write(0x30'0000, std::uint64_t{0xfeed})); }},
    {"memory that was zeroed", false,
     [](Machine &m) {
       const auto bytes = m.memory().bytes(0x10'0000, 0x4000);
       ASSERT_TRUE(bytes);
       std::fill(bytes->begin(), bytes->end(), std::byte{0});
     }},
};

class Reuse : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    REVEILLE_NEEDS_KVM();
    image_.emplace(must(GuestImage::open(REVEILLE_GUEST)));
  }

  Machine build(const Scenario &scenario) { return must(Machine::build(scenario, *image_)); }
  void restart(Machine &machine, const Scenario &scenario, const MachineState &as_built) {
    expect_done(machine.restart(scenario, *image_, as_built));
  }

  std::optional<GuestImage> image_;
};

INSTANTIATE_TEST_SUITE_P(Lapics, Reuse, testing::Values("kernel", "split", "user"),
                         [](const auto &of) { return std::string(of.param); });

TEST_P(Reuse, NothingThatWasDoneToAVcpuStays) {
  const Scenario scenario = scenario_of(GetParam());
  Machine other = build(scenario);
  const Whole fresh = whole(other);
  Machine machine = build(scenario);
  const MachineState as_built = must(MachineState::of(machine));
  for (const Spoil &spoil : kSpoils) {
    if (spoil.needs_lapic && machine.apic() == ApicMode::kUser)
      continue;
    spoil.spoil(machine);
    restart(machine, scenario, as_built);
    expect_same(machine, fresh, spoil.name);
  }
}

/// What cannot be read shows when it runs: the first thing that the guest wants of the host.
TEST_P(Reuse, NoBreakpointStays) {
  const Scenario scenario = scenario_of(GetParam());
  Machine machine = build(scenario);
  const MachineState as_built = must(MachineState::of(machine));
  const std::uint64_t entry[] = {image_->entry()};
  expect_done(machine.vcpu(0).set_breakpoints(entry));
  restart(machine, scenario, as_built);
  machine.control().arm(0, abi::Place::kZero); // or it would wait for its APs
  const Exit exit = machine.vcpu(0).run();
  EXPECT_FALSE(std::holds_alternative<Debug>(exit)) << describe(exit);
}

/// Runs that leave vCPUs where they are found nowhere else.
const char *const kRuns[] = {
    "",
    "strategy = 'tree'\ncycles = 3\n",
    "wait = 'spin'\nmax_cpus = 3\n",
    "[[fault]]\ncpu = 1\nat = 'alive'\naction = 'crash'\n",
    "[[fault]]\ncpu = 2\nat = 'started'\naction = 'reset'\n",
    "[[fault]]\ncpu = [1, 2]\nat = 'idle.released'\naction = 'nmi'\n",
    "stop = 'none'\n[[fault]]\ncpu = 3\nat = 'init'\naction = 'drop'\n",
    "[[fault]]\ncpu = 3\nat = 'sipi'\naction = 'duplicate'\n",
    "[[fault]]\ncpu = 1\nat = 'synced'\naction = 'freeze'\n",
};

Observation run(const Scenario &scenario, Machine &machine, LabStart start = {}) {
  Lab lab(scenario, machine, std::move(start));
  Observation seen = must(lab.run({}));
  EXPECT_TRUE(lab.all_joined());
  EXPECT_EQ(seen.end, RunEnd::kComplete) << seen.end_detail;
  return seen;
}

std::string with_short_timeout(const std::string &rest) { return "timeout_ms = 200\n" + rest; }

Scenario run_of(const std::string &apic, const std::string &rest) {
  return must(parse_scenario(
      fmt::format("[machine]\nvcpus = 4\napic = '{}'\n[bringup]\n{}", apic, with_short_timeout(rest)),
      "made"));
}

TEST_P(Reuse, NothingThatARunHasDoneStays) {
  const Scenario scenario = scenario_of(GetParam());
  Machine other = build(scenario);
  const Whole fresh = whole(other);
  Machine machine = build(scenario);
  const MachineState as_built = must(MachineState::of(machine));
  for (const char *rest : kRuns) {
    const Scenario spoiling = run_of(GetParam(), rest);
    restart(machine, spoiling, as_built);
    run(spoiling, machine);
    restart(machine, scenario, as_built);
    expect_same(machine, fresh, rest);
  }
}

/// Boots a machine to time zero, and keeps it.
ZeroPoint zero_of(const Scenario &scenario, Machine &machine, const MachineState &as_built) {
  std::optional<ZeroPoint> zero;
  run(scenario, machine, {false, [&] { zero = must(ZeroPoint::of(machine, as_built)); }});
  EXPECT_TRUE(zero);
  return zero ? std::move(*zero) : ZeroPoint{};
}

TEST_P(Reuse, AtTimeZeroItIsAsOneThatHasBooted) {
  if (GetParam() == std::string("user"))
    GTEST_SKIP() << "LAPICs of our own are not kept";
  const Scenario scenario = scenario_of(GetParam());
  Machine other = build(scenario);
  const ZeroPoint fresh = zero_of(scenario, other, must(MachineState::of(other)));
  Machine machine = build(scenario);
  const MachineState as_built = must(MachineState::of(machine));
  const ZeroPoint zero = zero_of(scenario, machine, as_built);
  EXPECT_EQ(difference(zero.state, fresh.state), "") << "two machines come to time zero in different states";
  EXPECT_EQ(difference(zero.memory, fresh.memory), "");
  for (const Spoil &spoil : kSpoils) {
    spoil.spoil(machine);
    EXPECT_TRUE(must(machine.resume(scenario, zero)));
    machine.control().arm(0, abi::Place::kZero); // as each run does before it starts
    for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu)
      machine.control().arm(cpu, abi::Place::kStop);
    expect_same(machine, {fresh.state, fresh.memory}, spoil.name);
  }
}

/// Runs a scenario out of the stock as the vmm does; how its machine came to be.
MachineStart run_out_of(MachineStock &stock, const Scenario &scenario,
                        const std::string &guest = REVEILLE_GUEST, bool is_sound = true) {
  MachineStock::Lease lease = must(stock.take(scenario, guest, [] { return false; }));
  const MachineStart start = stock.start();
  const Observation seen =
      run(scenario, lease.machine(), {start == MachineStart::kZero, [&] { stock.note_zero(scenario); }});
  EXPECT_EQ(judge(scenario, seen).kind, VerdictKind::kPass) << static_cast<int>(start);
  if (is_sound)
    lease.note_sound();
  return start;
}

TEST(MachineStock, UsesAMachineAgainForWhatIsLikeIt) {
  REVEILLE_NEEDS_KVM();
  MachineStock stock(true);
  const Scenario plain = scenario_of("kernel");
  EXPECT_EQ(run_out_of(stock, plain), MachineStart::kNew);
  EXPECT_EQ(run_out_of(stock, plain), MachineStart::kZero);
  const Scenario stalled = scenario_of("kernel", "[[fault]]\ncpu = 2\nat = 'started'\naction = 'stall'\n"
                                                 "[expect]\nfailed = { 2 = 'timeout@started' }\n");
  EXPECT_EQ(run_out_of(stock, stalled), MachineStart::kZero) << "faults change nothing up to time zero";
  EXPECT_EQ(run_out_of(stock, scenario_of("kernel", "strategy = 'serial'\n")), MachineStart::kAgain)
      << "the guest is asked for something else";
  EXPECT_EQ(run_out_of(stock, scenario_of("kernel", "strategy = 'serial'\n")), MachineStart::kZero);
  EXPECT_EQ(run_out_of(stock, scenario_of("split")), MachineStart::kNew) << "another machine";
  EXPECT_EQ(run_out_of(stock, scenario_of("user")), MachineStart::kNew);
  EXPECT_EQ(run_out_of(stock, scenario_of("user")), MachineStart::kAgain);
}

TEST(MachineStock, BuildsANewOneWhereItMust) {
  REVEILLE_NEEDS_KVM();
  MachineStock stock(true);
  const Scenario plain = scenario_of("kernel");
  EXPECT_EQ(run_out_of(stock, plain), MachineStart::kNew);
  const Scenario unlisted = scenario_of("kernel", "[[fault]]\ncpu = 3\nat = 'firmware'\naction = 'unlisted'\n"
                                                  "[expect]\nfailed = { 3 = 'lost@alive' }\n");
  EXPECT_EQ(run_out_of(stock, unlisted), MachineStart::kNew) << "firmware makes another machine";
  EXPECT_EQ(run_out_of(stock, plain), MachineStart::kNew) << "the one with that firmware is not kept";
  EXPECT_EQ(run_out_of(stock, plain, REVEILLE_GUEST, false), MachineStart::kZero);
  EXPECT_EQ(run_out_of(stock, plain), MachineStart::kNew) << "the run before it was not sound";
}

TEST(MachineStock, BootsAgainWhereAFaultMayStrikeBeforeTimeZero) {
  REVEILLE_NEEDS_KVM();
  MachineStock stock(true);
  const Scenario plain = scenario_of("kernel");
  EXPECT_EQ(run_out_of(stock, plain), MachineStart::kNew);
  const Scenario early = scenario_of(
      "kernel", "[[fault]]\ncpu = 0\nat = 'symbol:guest_main'\naction = 'delay'\nduration_ms = 5\n");
  EXPECT_EQ(run_out_of(stock, early), MachineStart::kAgain);
  EXPECT_EQ(run_out_of(stock, plain), MachineStart::kZero);
}

} // namespace
} // namespace reveille::vmm::test
