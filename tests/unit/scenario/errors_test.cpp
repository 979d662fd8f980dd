// Mistakes in [machine], [bringup] and the file as a whole.
#include "mistakes.hpp"

namespace reveille::vmm {
namespace {

TEST(scenario, unknown_keys_name_the_nearest) {
  expect_messages({
      {kEight + "[bringup]\n  tiemout_ms = 3",
       R"(4:3: bringup.tiemout_ms: unknown key; did you mean "timeout_ms"?)"},
      {"[machine]\nvcpu = 8", R"(2:1: machine.vcpu: unknown key; did you mean "vcpus"?)"},
      {kEight + "timeout_ms = 3", "3:1: machine.timeout_ms: unknown key here; it belongs to [bringup]"},
      {kEight + "[bringupp]", R"(3:2: bringupp: unknown key; did you mean "bringup"?)"},
      {kEight + "[zzz]", "3:2: zzz: unknown key; valid here: title, machine, bringup, fault, expect, sim"},
      {"[machine]\nvcpus = 8\nVCPUS = 9", R"(3:1: machine.VCPUS: unknown key; did you mean "vcpus"?)"},
  });
}

TEST(scenario, wrong_types_say_what_was_found) {
  expect_messages({
      {"[machine]\nvcpus = \"8\"", R"(2:9: machine.vcpus: expected an integer, found the string "8")"},
      {"[machine]\nvcpus = 8.0", "2:9: machine.vcpus: expected an integer, found the fraction 8"},
      {"machine = 8", "1:11: machine: expected a table, found the integer 8"},
      {"title = 3\n" + kEight, "1:9: title: expected a string, found the integer 3"},
      {kEight + "apic = true", "3:8: machine.apic: expected a string, found true"},
      {kEight + "[bringup]\ntimeout_ms = []", "4:14: bringup.timeout_ms: expected a number, found an array"},
      {kEight + "[bringup]\ncycles = 2024-01-01",
       "4:10: bringup.cycles: expected an integer, found a date or time"},
      {kEight + "[fault]\ncpu = 1", "3:1: fault: expected an array of tables, found a table"},
      {kEight + "[expect]\nfailed = \"none\"",
       R"(4:10: expect.failed: expected a table of CPUs, found the string "none")"},
      {kEight + "[expect]\nonline = true",
       "4:10: expect.online: expected a CPU number, an array of them or a cpulist string, found true"},
      {kEight + "[bringup]\nprimary_threads_first = 0",
       "4:25: bringup.primary_threads_first: expected true or false, found the integer 0"},
  });
}

TEST(scenario, values_out_of_range_name_the_range) {
  expect_messages({
      {"[machine]\nvcpus = 0", "2:9: machine.vcpus: 0 is out of range: 1..1024"},
      {"[machine]\nvcpus = 1025", "2:9: machine.vcpus: 1025 is out of range: 1..1024"},
      {"[machine]\nvcpus = -1", "2:9: machine.vcpus: -1 is out of range: 1..1024"},
      {kEight + "memory_mib = 15", "3:14: machine.memory_mib: 15 is out of range: 16..65536"},
      {kEight + "threads_per_core = 3", "3:20: machine.threads_per_core: 3 is not one of 1, 2, 4, 8"},
      {kEight + "[bringup]\ntimeout_ms = 0.5", "4:14: bringup.timeout_ms: 0.5 is out of range: 1..600000"},
      {kEight + "[bringup]\ntimeout_ms = 600001",
       "4:14: bringup.timeout_ms: 600001 is out of range: 1..600000"},
      {kEight + "[bringup]\ntimeout_ms = nan", "4:14: bringup.timeout_ms: nan is out of range: 1..600000"},
      {kEight + "[bringup]\nattempts = 9", "4:12: bringup.attempts: 9 is out of range: 1..8"},
      {kEight + "[bringup]\nwindow = 1025", "4:10: bringup.window: 1025 is out of range: 0..1024"},
      {kEight + "[bringup]\ncycles = 0", "4:10: bringup.cycles: 0 is out of range: 1..100000"},
      {kEight + "[bringup]\nmax_cpus = 0", "4:12: bringup.max_cpus: 0 is out of range: 1..vcpus"},
      {kEight + "[bringup]\nmax_cpus = 9",
       "4:12: bringup.max_cpus: 9 is more than the machine has (vcpus = 8)"},
      {kEight + "[bringup]\nstop = \"int\"",
       R"(4:8: bringup.stop: unknown value "int"; did you mean "init"?)"},
      {kEight + "[bringup]\nwait = \"sleepily\"",
       R"(4:8: bringup.wait: unknown value "sleepily"; valid here: spin, halt)"},
  });
  expect_accepted({"[machine]\nvcpus = 1", "[machine]\nvcpus = 1024",
                   kEight + "[bringup]\ntimeout_ms = 1.5\nattempts = 8\nwindow = 1024\nmax_cpus = 8"});
}

TEST(scenario, vcpus_has_no_default) {
  expect_messages({
      {"", "1:1: machine.vcpus: missing; it has no default"},
      {"# nothing\n", "1:1: machine.vcpus: missing; it has no default"},
      {"title = \"x\"\n\n[machine]\n", "3:1: machine.vcpus: missing; it has no default"},
  });
}

TEST(scenario, too_little_memory_names_the_least) {
  expect_messages({
      {"[machine]\nvcpus = 1000\nmemory_mib = 16",
       "3:14: machine.memory_mib: 16 is too little: 1000 vCPUs with 1 attempt need at least 55"},
  });
  expect_accepted({"[machine]\nvcpus = 1000\nmemory_mib = 55", "[machine]\nvcpus = 1\nmemory_mib = 16"});
}

TEST(scenario, xapic_takes_255_cpus) {
  expect_messages(
      {{"[machine]\nvcpus = 256\nx2apic = \"off\"",
        R"(3:10: machine.x2apic: "off" takes at most 255 vCPUs, and there are 256: higher IDs need x2APIC)"}});
  expect_accepted({"[machine]\nvcpus = 255\nx2apic = \"off\"", "[machine]\nvcpus = 256\nx2apic = \"on\""});
}

TEST(scenario, titles_are_short_and_plain) {
  std::string longest;
  for (int i = 0; i < 120; ++i)
    longest += "\u00e9"; // characters, not bytes
  expect_accepted({"title = \"" + longest + "\"\n" + kEight});
  expect_messages({
      {"title = \"" + longest + "x\"\n" + kEight, "1:9: title: has 121 characters; at most 120"},
      {"title = \"a\\u001b[2J\"\n" + kEight, "1:9: title: has a control character in it"},
  });
}

TEST(scenario, messages_cannot_write_to_the_terminal) {
  expect_messages(
      {{"\"a\\u001b[2J\\n\" = 1",
        "1:1: a\\x1b[2J\\n: unknown key; valid here: title, machine, bringup, fault, expect, sim"}});
}

TEST(scenario, the_first_mistake_in_file_order_comes_first) {
  // [expect] is checked last and [machine] first, whatever their order in the file.
  const auto scenario =
      parse_scenario("[expect]\nonlin = 1\n[bringup]\nwait = 1\n[machine]\nvcpus = 0\n", "x.toml");
  ASSERT_FALSE(scenario);
  EXPECT_EQ(scenario.error().message,
            "x.toml:2:1: expect.onlin: unknown key; did you mean \"online\"?\n(2 more errors in it)");
  const auto two = parse_scenario("[machine]\nvcpus = 0\nmemory_mib = 0\n", "x.toml");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().message,
            "x.toml:2:9: machine.vcpus: 0 is out of range: 1..1024\n(1 more error in it)");
}

TEST(scenario, one_mistake_is_reported_once) {
  const auto scenario = parse_scenario(
      "[machine]\nvcpu = 2\n[[fault]]\ncpu = 7\nat = \"alive\"\naction = \"stall\"\n", "x.toml");
  ASSERT_FALSE(scenario);
  EXPECT_EQ(scenario.error().message, "x.toml:2:1: machine.vcpu: unknown key; did you mean \"vcpus\"?");
}

} // namespace
} // namespace reveille::vmm
