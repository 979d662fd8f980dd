// The probes on this host's KVM, and who is refused by them.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/probe/needs.hpp"
#include "vmm/probe/probes.hpp"
#include "vmm/probe/tiny_guest.hpp"

#include <gtest/gtest.h>

#include <cpuid.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>

namespace reveille::vmm {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::must;

/// A probe, and the capability without which it finds nothing.
struct Case {
  const char *name;
  Finding (*probe)(const Kvm &);
  std::uint32_t cap;
};

constexpr Case kCases[] = {
    {"kernel LAPIC", probe_kernel_lapic, KVM_CAP_IRQCHIP},
    {"split LAPIC", probe_split_lapic, KVM_CAP_SPLIT_IRQCHIP},
    {"user LAPIC", probe_user_lapic, KVM_CAP_X86_USER_SPACE_MSR},
    {"wide APIC IDs", probe_wide_apic_ids, KVM_CAP_X2APIC_API},
    {"vCPUs", probe_vcpu_limits, KVM_CAP_MAX_VCPUS},
};

TEST(Probe, FindsWhatAKvmWithTheCapabilityDoes) {
  REVEILLE_NEEDS_KVM();
  const Kvm kvm = must(Kvm::open());
  for (const Case &c : kCases) {
    const Finding finding = c.probe(kvm);
    EXPECT_EQ(finding.standing == Standing::kWorks, kvm.capability(c.cap) > 0)
        << c.name << ": " << finding.found;
    EXPECT_FALSE(finding.found.empty()) << c.name;
  }
}

TEST(Probe, RunsTheInstructionThatEveryKvmKnows) {
  REVEILLE_NEEDS_KVM();
  const Finding finding = probe_instructions(must(Kvm::open()));
  EXPECT_NE(finding.standing, Standing::kLacks) << finding.found;
  EXPECT_TRUE(finding.found.starts_with("ring 0 runs rdtsc")) << finding.found;
}

// A KVM that interprets ring 0 has the guest read the host's own TSC, and a KVM that does not
// has the processor add the offset.
TEST(Probe, SeesThatAnInterpretingKvmIgnoresTheTscOffset) {
  REVEILLE_NEEDS_KVM();
  const Kvm kvm = must(Kvm::open());
  const bool interprets = probe_instructions(kvm).found.find("not interpreted") != std::string::npos;
  const Finding offset = probe_tsc_offset(kvm);
  EXPECT_EQ(offset.standing, interprets ? Standing::kLacks : Standing::kWorks) << offset.found;
}

std::ptrdiff_t entries(const char *folder) {
  const std::filesystem::directory_iterator all(folder);
  return std::distance(begin(all), end(all));
}

TEST(Probe, LeavesNothingBehind) {
  REVEILLE_NEEDS_KVM();
  const Kvm kvm = must(Kvm::open());
  const auto descriptors = entries("/proc/self/fd");
  const auto threads = entries("/proc/self/task");
  for (const Case &c : kCases)
    (void)c.probe(kvm);
  EXPECT_EQ(entries("/proc/self/fd"), descriptors);
  EXPECT_EQ(entries("/proc/self/task"), threads);
}

TEST(Probe, ARunThatDoesNotEndIsKickedOut) {
  REVEILLE_NEEDS_KVM();
  auto guest = must(TinyGuest::create(must(Kvm::open()), LapicKeeper::kKernel, std::array{0u, 1u}));
  guest.put(TinyGuest::kBoot, "\xeb\xfe"sv); // jmp $
  must(guest.boot(0));
  for (const std::size_t index : {0u, 1u}) { // one that spins, one that waits for INIT
    const Exit exit = guest.run(index, 50ms);
    EXPECT_TRUE(std::holds_alternative<Interrupted>(exit)) << index << ": " << describe(exit);
    EXPECT_EQ(how_it_ended(exit), "it did not come back by itself");
  }
}

/// Whether the processor under this host is one that QEMU emulates.
bool is_emulated() {
  unsigned eax = 0;
  std::array<char, 13> vendor{};
  unsigned words[3] = {};
  __cpuid(0x40000000, eax, words[0], words[1], words[2]);
  std::memcpy(vendor.data(), words, sizeof words);
  return std::string_view(vendor.data()) == "TCGTCGTCGTCG";
}

// The SVM that QEMU emulates arms none, and the KVM on it takes them all the same.
TEST(Probe, FindsBreakpointsWhereTheyAreHit) {
  REVEILLE_NEEDS_KVM();
  const Kvm kvm = must(Kvm::open());
  auto guest = must(TinyGuest::create(kvm, LapicKeeper::kNobody, std::array{0u}));
  guest.put(TinyGuest::kBoot, "\x90\x90\xe6\x80"sv); // nop; nop; out 0x80, al
  must(guest.boot(0));
  must(guest.vcpu(0).set_breakpoints(std::array{TinyGuest::kBoot + 1}));
  const Exit first = guest.run(0);
  const bool is_hit = std::holds_alternative<Debug>(first);
  EXPECT_TRUE(is_hit || is_emulated()) << describe(first);
  const Finding finding = probe_breakpoints(kvm);
  EXPECT_EQ(finding.standing, is_hit ? Standing::kWorks : Standing::kLacks) << finding.found;
}

TEST(Probe, ABreakpointThatIsNotSetIsNotHit) {
  REVEILLE_NEEDS_KVM();
  auto guest = must(TinyGuest::create(must(Kvm::open()), LapicKeeper::kNobody, std::array{0u}));
  guest.put(TinyGuest::kBoot, "\x90\x90\xe6\x80"sv); // nop; nop; out 0x80, al
  must(guest.boot(0));
  must(guest.vcpu(0).set_breakpoints(std::array{TinyGuest::kBoot + 1}));
  must(guest.vcpu(0).set_breakpoints({}));
  EXPECT_TRUE(std::holds_alternative<IoOut>(guest.run(0)));
  const std::array<std::uint64_t, 5> too_many{};
  EXPECT_FALSE(guest.vcpu(0).set_breakpoints(too_many));
}

Scenario made(std::uint32_t vcpus) {
  Scenario scenario;
  scenario.machine.vcpus = vcpus;
  return scenario;
}

/// `scenario` is refused exactly when the probe does not find what it needs, and with its words.
void expect_refused_by(const Scenario &scenario, Finding (*probe)(const Kvm &)) {
  const Kvm kvm = must(Kvm::open());
  const Finding finding = probe(kvm);
  const auto checked = check_needs(kvm, scenario);
  ASSERT_EQ(checked.has_value(), finding.standing == Standing::kWorks) << finding.found;
  if (checked)
    return;
  EXPECT_EQ(checked.error().status, ExitStatus::kUnsupported);
  EXPECT_TRUE(checked.error().message.starts_with("this scenario needs ")) << checked.error().message;
}

TEST(Needs, AreThoseOfTheScenario) {
  REVEILLE_NEEDS_KVM();
  EXPECT_TRUE(check_needs(must(Kvm::open()), made(8)));
  expect_refused_by(made(300), probe_wide_apic_ids);
  Scenario split = made(8);
  split.machine.apic = ApicMode::kSplit;
  expect_refused_by(split, probe_split_lapic);
  Scenario user = made(8);
  user.machine.apic = ApicMode::kUser;
  expect_refused_by(user, probe_user_lapic);
  Scenario at_symbol = made(8);
  at_symbol.faults.push_back(
      {.cpus = {1}, .at = {.text = "symbol:main", .where = CodePlace{.symbol = "main"}}});
  expect_refused_by(at_symbol, probe_breakpoints);
  Scenario skewed = made(8);
  skewed.faults.push_back({.cpus = {1},
                           .at = {.text = "firmware", .where = FirmwarePlace{}},
                           .action = Action::kSkew,
                           .skew_us = 100});
  expect_refused_by(skewed, probe_tsc_offset);
  // A delivery needs one too, unless the LAPICs are ours and tell of it.
  Scenario at_init = made(8);
  at_init.faults.push_back({.cpus = {1}, .at = {.text = "init", .where = DeliveryPlace{Delivery::kInit}}});
  expect_refused_by(at_init, probe_breakpoints);
  at_init.machine.apic = ApicMode::kUser;
  expect_refused_by(at_init, probe_user_lapic);
}

/// While it lives the process gets no more file descriptors, so that no machine can be made.
class NoDescriptors {
public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    const Fd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    none.rlim_cur = static_cast<rlim_t>(lowest.get());
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors &) = delete;
  NoDescriptors &operator=(const NoDescriptors &) = delete;

private:
  rlimit before_{};
};

TEST(Needs, AreRefusedInTheWordsOfTheProbe) {
  REVEILLE_NEEDS_KVM();
  const Kvm kvm = must(Kvm::open());
  const NoDescriptors none;
  EXPECT_TRUE(check_needs(kvm, made(255)));
  const auto refused = check_needs(kvm, made(256));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, ExitStatus::kUnsupported);
  EXPECT_EQ(
      refused.error().message,
      "this scenario needs APIC IDs above 254 (more than 255 vCPUs), which this host's KVM does not have: " +
          probe_wide_apic_ids(kvm).found + "; use at most 255 vCPUs");
}

} // namespace
} // namespace reveille::vmm
