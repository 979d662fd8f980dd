// Deliveries that are late: the end of a run waits for them.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/lab/deliveries.hpp"
#include "vmm/scenario/load.hpp"

namespace reveille::vmm::test {
namespace {

TEST(Deliveries, OneThatIsLateIsKnownUntilItIsDelivered) {
  REVEILLE_NEEDS_KVM();
  const Scenario scenario =
      must(parse_scenario("[machine]\nvcpus = 2\n"
                          "[[fault]]\ncpu = 1\nat = 'init'\naction = 'delay'\nduration_ms = 50\n"
                          "attempt = 0\ncycle = 0\n",
                          "made"));
  Machine machine = must(Machine::build(scenario, std::string(REVEILLE_GUEST)));
  FaultEngine faults(scenario, machine.roster());
  Deliveries deliveries(machine, faults, [](CpuIndex, const std::string &) {});
  EXPECT_FALSE(deliveries.any_late());
  deliveries.send({.to = 1, .is_init = true}, 0, 1000);
  EXPECT_TRUE(deliveries.any_late());
  EXPECT_EQ(deliveries.deliver_due(50'999), 51'000);
  EXPECT_TRUE(deliveries.any_late());
  EXPECT_EQ(deliveries.deliver_due(51'000), std::nullopt);
  EXPECT_FALSE(deliveries.any_late());
}

} // namespace
} // namespace reveille::vmm::test
