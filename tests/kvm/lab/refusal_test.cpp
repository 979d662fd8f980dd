// A machine that the guest must refuse: the run ends at once, and says why in words.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <cstring>
#include <functional>

namespace reveille::vmm::test {
namespace {

/// Runs our guest on a machine in which something has been spoilt.
void expect_refusal(const std::string &why, const std::function<void(Machine &)> &spoil) {
  const Scenario scenario = must(parse_scenario("[machine]\nvcpus = 4\n", "made"));
  Machine machine = must(Machine::build(scenario, std::string(REVEILLE_GUEST)));
  spoil(machine);
  Lab lab(scenario, machine);
  const Observation seen = must(lab.run({}));
  EXPECT_EQ(seen.end, RunEnd::kRefused);
  EXPECT_EQ(seen.end_detail, "the guest refused this machine: " + why);
  const Verdict verdict = judge(scenario, seen);
  EXPECT_EQ(verdict.kind, VerdictKind::kBroken);
  EXPECT_EQ(verdict.exit, ExitStatus::kBroken);
  ASSERT_FALSE(verdict.differences.empty());
  EXPECT_EQ(verdict.differences.front(), seen.end_detail);
}

abi::ControlPage &page(Machine &machine) {
  return *machine.memory().at<abi::ControlPage>(machine.control().layout().page);
}

constexpr const char *kVersionText =
    "the control page is of another version or size, or not sound; build vmm and guest together";

TEST(Refusal, AControlPageOfAnotherVersion) {
  REVEILLE_NEEDS_KVM();
  expect_refusal(kVersionText, [](Machine &machine) { page(machine).version = abi::kAbiVersion + 1; });
}

TEST(Refusal, AControlPageThatIsNotSound) {
  REVEILLE_NEEDS_KVM();
  expect_refusal(kVersionText, [](Machine &machine) { page(machine).size -= 8; });
  expect_refusal(kVersionText, [](Machine &machine) { page(machine).request.max_cpus = 0; });
  expect_refusal(kVersionText, [](Machine &machine) { page(machine).request.slots = UINT64_MAX - 63; });
}

TEST(Refusal, NoControlPageWhereItWasAnnounced) {
  REVEILLE_NEEDS_KVM();
  expect_refusal("it does not say why", [](Machine &machine) { page(machine).magic = 0; });
}

TEST(Refusal, MoreCpusThanSlots) {
  REVEILLE_NEEDS_KVM();
  expect_refusal("its MADT lists more CPUs than the control page has slots for",
                 [](Machine &machine) { page(machine).request.cpus = page(machine).request.max_cpus = 2; });
}

TEST(Refusal, NoAcpiTables) {
  REVEILLE_NEEDS_KVM();
  expect_refusal("it found no RSDP, or no MADT behind it", [](Machine &machine) {
    constexpr std::string_view kSignature = "RSD PTR ";
    const auto low = *machine.memory().bytes(0, 1u << 20);
    const auto found = std::search(low.begin(), low.end(), kSignature.begin(), kSignature.end(),
                                   [](std::byte b, char c) { return b == static_cast<std::byte>(c); });
    ASSERT_NE(found, low.end());
    *found = std::byte{0};
  });
}

} // namespace
} // namespace reveille::vmm::test
