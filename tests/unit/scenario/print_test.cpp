#include "vmm/scenario/print.hpp"

#include "vmm/scenario/load.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

constexpr std::string_view kPrinted = R"(title = "a \"b\" \\c"

[machine]
vcpus = 8
memory_mib = 16
apic = "kernel"
x2apic = "off"
threads_per_core = 2

[bringup]
strategy = "split"
wait = "spin"
window = 0
timeout_ms = 2.5
attempts = 2
stop = "none"
primary_threads_first = true
cycles = 3
max_cpus = 6

[sim]
prepare_us = 350
kick_us = 20
wake_us = 250
boot_us = 100
step_us = 10
ipi_us = 2
serve_us = 2
jitter = 0.5

[[sim.latency]]
cpu = 3
at = "alive"
us = 3500

[[fault]]
cpu = "1-3"
at = "time:7.5"
action = "stall"
duration_ms = 0
attempt = 1
cycle = 1
count = 1
probability = 1

[[fault]]
cpu = 4
at = "alive"
action = "crash"
attempt = 0
cycle = 0
count = 2
probability = 1

[[fault]]
cpu = 5
at = "step:worker"
action = "fail"
error = -12
attempt = 1
cycle = 3
count = 1
probability = 1

[[fault]]
cpu = 2
at = "dying"
action = "delay"
duration_ms = 1
attempt = 2
cycle = 2
count = 1
probability = 1

[expect]
online = "0-2"
failed = { "4" = "crash@alive", "3,5" = "timeout@alive" }
within_ms = 700
attempts = { "1" = 1, "4-5" = 2 }

# The run ends within 6246 ms; what is undecided then is lost.
)";

TEST(scenario, printing_fills_in_every_default) {
  const auto s = parse_scenario(kPrinted, "x.toml");
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(to_toml(*s), kPrinted);
}

TEST(scenario, what_is_printed_reads_back_to_itself) {
  for (const char *expect : {"", "online = [0, 2]", "failed = { \"0-3\" = \"lost@alive\" }", "failed = {}",
                             "online = \"all\"\nfailed = {}"}) {
    const auto s = parse_scenario(std::string("[machine]\nvcpus = 4\n[expect]\n") + expect, "x.toml");
    ASSERT_TRUE(s) << s.error().message;
    const std::string printed = to_toml(*s);
    const auto again = parse_scenario(printed, "y.toml");
    ASSERT_TRUE(again) << again.error().message << "\n" << printed;
    EXPECT_EQ(to_toml(*again), printed);
    EXPECT_EQ(again->expect.online, s->expect.online);
    EXPECT_EQ(again->expect.failed, s->expect.failed);
  }
}

} // namespace
} // namespace reveille::vmm
