// What vCPUs that stand still show of themselves.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>

namespace reveille::vmm::test {
namespace {

/// AP 1 of 2, with that fault, as it stood in the end.
Observation run(const std::string &fault) {
  const Scenario scenario = must(parse_scenario(
      fmt::format("[machine]\nvcpus = 2\n[bringup]\ntimeout_ms = 300\n[[fault]]\ncpu = 1\n{}\n", fault),
      "made"));
  Machine machine = must(Machine::build(scenario, std::string(REVEILLE_GUEST)));
  Lab lab(scenario, machine);
  return must(lab.run({}));
}

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
    EXPECT_TRUE(vcpu.before_init) << action;
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
  EXPECT_FALSE(seen.cpus[1].vcpu->before_init);
  EXPECT_FALSE(seen.cpus[1].vcpu->code) << "the reset vector is no RAM here";
}

} // namespace
} // namespace reveille::vmm::test
