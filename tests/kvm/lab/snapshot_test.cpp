// What vCPUs that stand still show of themselves.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/report/where_is_it.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace reveille::vmm::test {
namespace {

struct Ran {
  Scenario scenario;
  Observation seen;
};

/// AP 1 of 2 as it stood in the end; `more` of the scenario begins in [bringup].
Ran run_with(const std::string &more, const std::string &apic = "kernel",
             const std::function<void(Machine &)> &spoil = {}) {
  Ran run{must(parse_scenario(
              fmt::format("[machine]\nvcpus = 2\napic = '{}'\n[bringup]\ntimeout_ms = 300\n{}\n", apic, more),
              "made")),
          {}};
  Machine machine = must(Machine::build(run.scenario, std::string(REVEILLE_GUEST)));
  if (spoil)
    spoil(machine);
  Lab lab(run.scenario, machine);
  run.seen = must(lab.run({}));
  return run;
}

/// With that fault on it.
Observation run(const std::string &fault) { return run_with("[[fault]]\ncpu = 1\n" + fault).seen; }

void expect_code(const VcpuSnapshot &vcpu) {
  ASSERT_TRUE(vcpu.code);
  EXPECT_GE(vcpu.code->rip, vcpu.code->begin);
  EXPECT_LT(vcpu.code->rip - vcpu.code->begin, vcpu.code->bytes.size());
  EXPECT_GT(vcpu.code->bytes.size(), CodeBytes::kBehind);
  EXPECT_LE(vcpu.code->bytes.size(), CodeBytes::kMost);
}

TEST(Snapshot, OfAFrozenVcpuIsFromWhereItIs) {
  const Observation seen = run("at = 'started'\naction = 'freeze'");
  ASSERT_TRUE(seen.cpus[1].vcpu);
  const VcpuSnapshot &vcpu = *seen.cpus[1].vcpu;
  EXPECT_FALSE(vcpu.at_reset) << "looking has it take the INIT that is pending";
  ASSERT_TRUE(vcpu.registers);
  EXPECT_EQ(vcpu.registers->rip, seen.firings.at(0).rip);
  EXPECT_NE(vcpu.registers->rsp, 0U);
  expect_code(vcpu);
  EXPECT_EQ(vcpu.code->width, CodeWidth::k64);
  EXPECT_EQ(vcpu.code->rip, vcpu.rip);
  // An armed place is an OUT (guest/smp/events.hpp), behind which it stands.
  EXPECT_EQ(vcpu.code->bytes.at(vcpu.code->rip - vcpu.code->begin - 1), 0xef);
}

TEST(Snapshot, OfOneThatAnInitHasTakenIsFromBefore) {
  for (const char *action : {"stall", "crash"}) {
    const Observation seen = run(fmt::format("at = 'started'\naction = '{}'", action));
    ASSERT_TRUE(seen.cpus[1].vcpu) << action;
    const VcpuSnapshot &vcpu = *seen.cpus[1].vcpu;
    EXPECT_TRUE(vcpu.at_reset) << action;
    EXPECT_EQ(vcpu.moment, Moment::kBeforeInit) << action;
    ASSERT_TRUE(vcpu.registers) << action;
    EXPECT_EQ(vcpu.registers->rip, seen.firings.at(0).rip) << action;
    expect_code(vcpu);
  }
}

TEST(Snapshot, OfOneThatNeverStartedHasNoCode) {
  const Observation seen =
      run("at = 'sipi'\naction = 'drop'\n[[fault]]\ncpu = 1\nat = 'sipi2'\naction = 'drop'");
  ASSERT_TRUE(seen.cpus[1].vcpu);
  EXPECT_TRUE(seen.cpus[1].vcpu->at_reset);
  EXPECT_EQ(seen.cpus[1].vcpu->moment, Moment::kEnd);
  EXPECT_FALSE(seen.cpus[1].vcpu->code) << "the reset vector is no RAM here";
}

// EB FE, at the beginning of a step: no fault strikes, and the control CPU gives the AP up.
constexpr std::array<std::uint8_t, 2> kEndlessLoop = {0xeb, 0xfe};

void loop_in_step_timer(Machine &machine) {
  const auto step = machine.symbols().find("step_timer");
  ASSERT_TRUE(step);
  ASSERT_TRUE(machine.memory().write(*step, kEndlessLoop));
}

TEST(Snapshot, OfOneThatHangsByItselfIsFromBeforeItsStop) {
  for (const char *apic : {"kernel", "user"})
    for (const char *stop : {"init", "none"}) {
      const std::string what = fmt::format("LAPICs: {}, stop: {}", apic, stop);
      Ran run;
      // On a busy host its turn may be over before it comes to the step, and the control CPU does not wait
      // for ever until it has been looked at.
      std::string text;
      for (int i = 0; i < 5 && text.find(" step_timer") == std::string::npos; ++i) {
        run = run_with(fmt::format("stop = '{}'", stop), apic, loop_in_step_timer);
        ASSERT_TRUE(run.seen.cpus[1].vcpu) << what;
        text = where_are_they({}, run.scenario, run.seen, judge(run.scenario, run.seen));
      }
      const VcpuSnapshot &vcpu = *run.seen.cpus[1].vcpu;
      const bool is_stopped = std::string_view(stop) == "init";
      EXPECT_EQ(vcpu.at_reset, is_stopped) << what;
      EXPECT_EQ(vcpu.moment, is_stopped ? Moment::kBeforeInit : Moment::kEnd) << what;
      EXPECT_NE(text.find(" step_timer"), std::string::npos) << what << "\n" << text;
      EXPECT_NE(text.find("guest/smp/steps.cpp:"), std::string::npos) << what << "\n" << text;
      EXPECT_EQ(text.find("as an INIT leaves them"), std::string::npos) << what << "\n" << text;
      expect_code(vcpu);
      const auto *here = vcpu.code->bytes.data() + (vcpu.code->rip - vcpu.code->begin);
      EXPECT_TRUE(std::equal(kEndlessLoop.begin(), kEndlessLoop.end(), here)) << what;
      EXPECT_EQ(vcpu.registers->rip, vcpu.code->rip) << what;
    }
}

TEST(Snapshot, OfOneThatPanicsIsFromWhereItDid) {
  for (const char *stop : {"init", "none"}) {
    // The rest of a trampoline page is an undefined opcode (guest/smp/trampoline.cpp).
    const Ran run = run_with(fmt::format(
        "stop = '{}'\n[[fault]]\ncpu = 1\nat = 'started'\naction = 'jump'\naddress = 0x11800", stop));
    ASSERT_TRUE(run.seen.cpus[1].vcpu) << stop;
    const VcpuSnapshot &vcpu = *run.seen.cpus[1].vcpu;
    EXPECT_EQ(vcpu.moment, Moment::kPanic) << stop;
    EXPECT_EQ(vcpu.was_at, 0x11800U) << stop;
    EXPECT_EQ(vcpu.was_in, "trampoline page 1+0x800") << stop;
    expect_code(vcpu);
    EXPECT_EQ(vcpu.code->rip, 0x11800U) << stop;
    EXPECT_EQ(vcpu.code->bytes.at(vcpu.code->rip - vcpu.code->begin), 0xff) << stop;
    ASSERT_EQ(run.seen.crashes.size(), 1U) << stop;
    EXPECT_EQ(run.seen.crashes.front().where, vcpu.was_in) << stop;
  }
}

} // namespace
} // namespace reveille::vmm::test
