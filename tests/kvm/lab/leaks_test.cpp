// Many machines and runs in one process: what each took, it has given back.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <filesystem>

namespace reveille::vmm::test {
namespace {

std::ptrdiff_t entries(const char *folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

struct Held {
  std::ptrdiff_t descriptors = entries("/proc/self/fd");
  std::ptrdiff_t threads = entries("/proc/self/task");
  friend bool operator==(const Held &, const Held &) = default;
};

std::ostream &operator<<(std::ostream &out, const Held &held) {
  return out << held.descriptors << " descriptors, " << held.threads << " threads";
}

Scenario scenario(std::string_view rest) {
  return must(
      parse_scenario("[machine]\nvcpus = 4\n[bringup]\ntimeout_ms = 20\n" + std::string(rest), "made"));
}

/// Runs it once, and returns how it ended.
RunEnd run_once(const Scenario &what) {
  Machine machine = must(Machine::build(what, std::string(REVEILLE_GUEST)));
  Lab lab(what, machine);
  const Observation seen = must(lab.run({}));
  EXPECT_TRUE(lab.all_joined());
  return seen.end;
}

void expect_no_leak(const Scenario &what) {
  ASSERT_EQ(run_once(what), RunEnd::kComplete); // makes what a process makes once
  const Held before;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(run_once(what), RunEnd::kComplete);
    ASSERT_EQ(Held{}, before) << "after run " << i;
  }
}

TEST(LabLeaks, RunsThatPass) {
  REVEILLE_NEEDS_KVM();
  expect_no_leak(scenario(""));
}

TEST(LabLeaks, RunsWithCpusThatStall) {
  REVEILLE_NEEDS_KVM();
  expect_no_leak(scenario("[[fault]]\ncpu = [1, 3]\nat = 'alive'\naction = 'stall'\n"));
}

TEST(LabLeaks, RunsWithCpusThatCrash) {
  REVEILLE_NEEDS_KVM();
  expect_no_leak(scenario("[[fault]]\ncpu = 'all'\nat = 'started'\naction = 'crash'\n"));
}

TEST(LabLeaks, MachinesThatNeverRan) {
  REVEILLE_NEEDS_KVM();
  const Scenario what = scenario("");
  const auto build = [&] {
    Machine machine = must(Machine::build(what, std::string(REVEILLE_GUEST)));
    const Lab lab(what, machine);
  };
  build();
  const Held before;
  for (int i = 0; i < 20; ++i)
    build();
  EXPECT_EQ(Held{}, before);
}

TEST(LabLeaks, MachinesThatCouldNotBeBuilt) {
  REVEILLE_NEEDS_KVM();
  const Held before;
  for (int i = 0; i < 20; ++i)
    EXPECT_FALSE(Machine::build(scenario(""), std::string("/proc/self/exe")));
  EXPECT_EQ(Held{}, before);
}

} // namespace
} // namespace reveille::vmm::test
