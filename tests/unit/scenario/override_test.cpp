// --set.
#include "mistakes.hpp"
#include "vmm/scenario/overrides.hpp"

#include <fstream>

namespace reveille::vmm {
namespace {

const std::string kFault = "[[fault]]\ncpu = 2\nat = \"alive\"\naction = \"stall\"\n";

Scenario load(const std::vector<std::string> &sets) {
  auto scenario = parse_scenario(kEight + kFault, "x.toml", {sets, {}});
  EXPECT_TRUE(scenario) << scenario.error().message;
  return scenario ? *scenario : Scenario{};
}

TEST(scenario, overrides_replace_and_add) {
  EXPECT_EQ(load({"machine.vcpus=16"}).machine.vcpus, 16U);
  EXPECT_EQ(load({"bringup.strategy=serial"}).bringup.strategy, abi::Strategy::kSerial);
  EXPECT_EQ(load({"bringup.strategy=\"split\""}).bringup.strategy, abi::Strategy::kSplit);
  EXPECT_EQ(load({"bringup.timeout_ms=12.5"}).bringup.timeout_ms, 12.5);
  EXPECT_EQ(load({"fault.0.cpu=3"}).faults[0].cpus, std::vector<CpuIndex>({3}));
  EXPECT_EQ(load({"fault.0.cpu=1-2,5"}).faults[0].cpus, std::vector<CpuIndex>({1, 2, 5}));
  EXPECT_EQ(load({"fault.0.at=idle.released"}).faults[0].at.text, "idle.released");
  EXPECT_EQ(load({"fault=[]"}).faults.size(), 0U);
  EXPECT_EQ(load({"title=two words"}).title, "two words");
  EXPECT_EQ(load({"expect.failed={2=\"timeout@alive\"}"}).expect.failed.at(2), "timeout@alive");
  EXPECT_EQ(load({"expect.failed.\"2-3\"=timeout@alive"}).expect.failed.size(), 2U);
  EXPECT_EQ(load({"machine.vcpus=4", "machine.vcpus=5"}).machine.vcpus, 5U);
}

TEST(scenario, overrides_can_add_a_fault) {
  const Scenario s =
      load({"fault.1.cpu=all", "fault.1.at=time:3", "fault.1.action=delay", "fault.1.duration_ms=1"});
  ASSERT_EQ(s.faults.size(), 2U);
  EXPECT_EQ(s.faults[1].cpus.size(), 7U);
  const auto first =
      parse_scenario(kEight, "x.toml", {{"fault.0.cpu=3", "fault.0.at=idle", "fault.0.action=crash"}, {}});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->faults.size(), 1U);
}

TEST(scenario, what_is_wrong_with_an_override_names_it) {
  const auto message = [](const std::string &set) { return message_of(kEight + kFault, {set}); };
  EXPECT_EQ(message("machine.apik=kernel"), R"(--set machine.apik: unknown key; did you mean "apic"?)");
  EXPECT_EQ(message("guest.kernel=user"), "--set guest.kernel: guest: not supported yet");
  EXPECT_EQ(message("fault.0.cpu=9"),
            "--set fault.0.cpu: there is no CPU 9: the machine has CPUs 0 to 7 (vcpus = 8)");
  EXPECT_EQ(message("expect.failed={3=1}"),
            "--set expect.failed: expect.failed.3: expected a reason@place, found the integer 1");
  EXPECT_EQ(message("machine.vcpus=two"),
            R"(--set machine.vcpus: expected an integer, found the string "two")");
  EXPECT_EQ(message("machine.vcpus=2"),
            "x.toml:4:7: fault.0.cpu: there is no CPU 2: the machine has CPUs 0 to 1 (vcpus = 2)");
}

TEST(scenario, overrides_that_lead_nowhere_are_refused) {
  const auto message = [](const std::string &set) { return message_of(kEight + kFault, {set}); };
  EXPECT_EQ(message("machine.vcpus"),
            "--set machine.vcpus: expected key=value, as in bringup.timeout_ms=300");
  EXPECT_EQ(message("=3"), "--set =3: expected key=value, as in bringup.timeout_ms=300");
  EXPECT_EQ(message("a b=3"), R"(--set a b=3: "a b" is not a key like machine.apic or fault.0.cpu)");
  EXPECT_EQ(message("fault.2.cpu=3"), R"(--set fault.2.cpu: there is no "2": fault has 1 element)");
  EXPECT_EQ(message("fault.x.cpu=3"), R"(--set fault.x.cpu: there is no "x": fault has 1 element)");
  EXPECT_EQ(message("machine.vcpus.x=3"),
            R"(--set machine.vcpus.x: vcpus is the integer 8, and has no "x" in it)");
  EXPECT_EQ(message("title=\"x"), R"(--set title: ""x" is neither a TOML value nor a bare word)");
  EXPECT_EQ(message("title="), R"(--set title: "" is neither a TOML value nor a bare word)");
  EXPECT_EQ(message("title=3\nx=4"), R"(--set title: "3\nx=4" is neither a TOML value nor a bare word)");
}

TEST(scenario, overrides_are_utf8) {
  EXPECT_EQ(message_of(kEight, {"title=\xff"}), R"(--set title: "\xff" is not UTF-8)");
  EXPECT_EQ(message_of(kEight, {"title='\xc3'"}), R"(--set title: "'\xc3'" is not UTF-8)");
  EXPECT_EQ(load({"title=\xc3\xa9"}).title, "\xc3\xa9");
}

TEST(scenario, overrides_that_are_wrong_for_all_are_known_without_a_scenario) {
  const auto wrong = [](const std::string &set) {
    const auto checked = check_overrides({"machine.vcpus=4", set});
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(wrong("machine.apik=kernel"), R"(--set machine.apik: unknown key; did you mean "apic"?)");
  EXPECT_EQ(wrong("machin.apic=user"), R"(--set machin.apic: machin: unknown key; did you mean "machine"?)");
  EXPECT_EQ(wrong("fault.7.cpux=1"), R"(--set fault.7.cpux: unknown key; did you mean "cpu"?)");
  EXPECT_EQ(wrong("sim.latency.0.stepp=1"), message_of(kEight, {"sim.latency.0.stepp=1"}));
  EXPECT_EQ(wrong("machine.cpu=3"), "--set machine.cpu: unknown key here; it belongs to [[sim.latency]]");
  EXPECT_EQ(wrong("guest.kernel=user"), "--set guest.kernel: guest: not supported yet");
  for (const std::string bad :
       {"machine.vcpus", "=3", "a b=3", "title=", "title=\"x", "title=3\nx=4", "title=\xff"})
    EXPECT_EQ(wrong(bad), message_of(kEight, {bad}));
  for (const std::string key : {"title", "machine", "machine.apic", "fault", "fault.2", "fault.2.cpu",
                                "sim.latency.1.us", "expect.failed.3", "expect.attempts", "machine.vcpus.x"})
    EXPECT_EQ(wrong(key + "=0"), "") << "that is for each file to say";
}

} // namespace
} // namespace reveille::vmm
