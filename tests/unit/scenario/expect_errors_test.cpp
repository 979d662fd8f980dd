// Mistakes in [expect].
#include "mistakes.hpp"

namespace reveille::vmm {
namespace {

/// Eight vCPUs, of which six are brought up; the keys begin at line 6.
std::string expect(const std::string &keys) { return kEight + "[bringup]\nmax_cpus = 6\n[expect]\n" + keys; }

TEST(scenario, expected_cpus_are_requested_ones) {
  expect_messages({
      {expect("online = [0, 9]"),
       "6:14: expect.online: there is no CPU 9: the machine has CPUs 0 to 7 (vcpus = 8)"},
      {expect("online = \"0-6\""), "6:10: expect.online: CPU 6 is not brought up (max_cpus = 6)"},
      {expect("failed = { 9 = \"timeout@alive\" }"),
       "6:12: expect.failed.9: there is no CPU 9: the machine has CPUs 0 to 7 (vcpus = 8)"},
      {expect("failed = { 6 = \"timeout@alive\" }"),
       "6:12: expect.failed.6: CPU 6 is not brought up (max_cpus = 6)"},
      {expect("failed = { x = \"timeout@alive\" }"),
       R"(6:12: expect.failed.x: "x" is not a CPU list like "0-3,8")"},
      // CPU 0 fails in its own way, if it does: no reason is that of all.
      {expect("failed = { all = \"timeout@alive\" }"),
       R"(6:12: expect.failed.all: "all" is not a CPU list like "0-3,8")"},
      {expect("attempts = { all = 1 }"),
       R"(6:14: expect.attempts.all: "all" is not a CPU list like "0-3,8")"},
      {expect("attempts = { 7 = 1 }"), "6:14: expect.attempts.7: CPU 7 is not brought up (max_cpus = 6)"},
  });
}

TEST(scenario, online_and_failed_do_not_contradict_each_other) {
  expect_messages({
      {expect("online = \"0-3\"\nfailed = { 3 = \"timeout@alive\", 4 = \"timeout@alive\", 5 = "
              "\"timeout@alive\" }"),
       "6:10: expect.online: CPU 3 is in failed too"},
      {expect("online = \"0-3\"\nfailed = { 5 = \"timeout@alive\" }"),
       "6:10: expect.online: CPU 4 is neither here nor in failed"},
      {expect("online = \"0-3\"\nfailed = {}"), "6:10: expect.online: CPU 4 is neither here nor in failed"},
      {expect("failed = { \"2-4\" = \"timeout@alive\", 3 = \"crash@alive\" }"),
       "6:37: expect.failed.3: CPU 3 is already in failed"},
      {expect("attempts = { \"2-4\" = 1, 3 = 1 }"), "6:25: expect.attempts.3: CPU 3 is already in attempts"},
  });
  expect_accepted(
      {expect("online = \"0-3\""), expect("online = \"0-4\"\nfailed = { 5 = \"timeout@alive\" }")});
}

TEST(scenario, expected_failures_are_reason_at_place) {
  expect_messages({
      {expect("failed = { 1 = \"timeout\" }"),
       R"(6:16: expect.failed.1: "timeout" is not a reason@place like "timeout@alive")"},
      {expect("failed = { 1 = \"timeot@alive\" }"),
       R"(6:16: expect.failed.1: unknown reason "timeot"; did you mean "timeout"?)"},
      {expect("failed = { 1 = \"crash@alve\" }"),
       R"(6:16: expect.failed.1: unknown place "alve"; did you mean "alive"?)"},
      {expect("failed = { 1 = \"crash@alive.released\" }"),
       R"(6:16: expect.failed.1: unknown place "alive.released"; valid here: alive, started, synced, online, idle, active, dying, dead)"},
      {expect("failed = { 1 = \"error@alive\" }"),
       R"(6:16: expect.failed.1: "error@alive": an error is at a step, as in "error@step:NAME")"},
      {expect("failed = { 1 = \"crash@step:x\" }"),
       R"(6:16: expect.failed.1: "crash@step:x": only an error is at a step)"},
      {expect("failed = { 1 = \"error@step:tcs\" }"),
       R"(6:16: expect.failed.1: unknown step "tcs"; did you mean "tsc"?)"},
      {expect("failed = { 1 = \"error@step:lapic.done\" }"),
       R"(6:16: expect.failed.1: unknown step "lapic.done"; valid here: area, cpu-tables, lapic, timer, tsc, worker)"},
      {expect("failed = { 1 = 3 }"), "6:16: expect.failed.1: expected a reason@place, found the integer 3"},
  });
  for (const char *reason : {"timeout@alive", "crash@started", "absent@alive", "lost@synced", "timeout@dying",
                             "crash@dead", "error@step:worker"})
    EXPECT_EQ(message_of(expect(std::string("failed = { 1 = \"") + reason + "\" }")), "accepted") << reason;
}

TEST(scenario, expected_figures_are_possible_ones) {
  expect_messages({
      {expect("attempts = { 1 = 2 }"), "6:18: expect.attempts.1: 2 is out of range: 1..1 (bringup.attempts)"},
      {expect("attempts = { 1 = 0 }"), "6:18: expect.attempts.1: 0 is out of range: 1..1 (bringup.attempts)"},
      {expect("attempts = { 1 = \"x\" }"),
       R"(6:18: expect.attempts.1: expected an integer, found the string "x")"},
      {expect("within_ms = 0"), "6:13: expect.within_ms: 0 is out of range: over 0, to 3600000"},
  });
}

} // namespace
} // namespace reveille::vmm
