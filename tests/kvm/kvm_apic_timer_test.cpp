// The LAPIC's timer on a real vCPU, whoever models it: each of its modes, of a CPU that halts and of
// one that runs.
#include "tests/kvm/bare_guest.hpp"
#include "tests/unit/machine/tiny_elf.hpp"
#include "vmm/machine/machine.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <tuple>

namespace reveille::vmm {
namespace {

using test::must;
using test::TinyElf;
using namespace std::string_view_literals;

constexpr std::uint8_t kPage = 2;
constexpr std::uint8_t kVector = 0x40;
constexpr std::uint16_t kHandler = 0x3000;
constexpr std::uint8_t kPort = 0x81;
constexpr std::uint32_t kX2apic = 0xfee00c00; ///< IA32_APIC_BASE: enabled, x2APIC
constexpr std::uint32_t kTicks = 2'000'000;   ///< 2 ms of the LAPIC's input clock; of a TSC about as much

std::string bytes(std::uint32_t value) {
  std::string text;
  for (unsigned i = 0; i < 4; ++i)
    text += static_cast<char>(value >> (8 * i));
  return text;
}

/// mov ecx, `msr`; mov eax, `value`; xor edx, edx; wrmsr
std::string write_msr(std::uint32_t msr, std::uint32_t value) {
  return "\x66\xb9" + bytes(msr) + "\x66\xb8" + bytes(value) + "\x66\x31\xd2\x0f\x30";
}

enum class How { kOneShot, kPeriodic, kTscDeadline };

/// Sets the timer, so that it fires in kTicks.
std::string arm(How how) {
  constexpr std::uint32_t kPeriodic = 1u << 17;
  constexpr std::uint32_t kDeadline = 2u << 17;
  if (how == How::kTscDeadline)
    return write_msr(0x832, kDeadline | kVector) + "\x0f\x31\x66\x05" +
           bytes(kTicks) +                         // rdtsc; add eax, kTicks
           "\x66\x83\xd2" + std::string(1, '\0') + // adc edx, 0
           "\x66\xb9" + bytes(0x6e0) + "\x0f\x30"; // mov ecx, 0x6e0; wrmsr
  return write_msr(0x83e, 0xb) + write_msr(0x832, (how == How::kPeriodic ? kPeriodic : 0) | kVector) +
         write_msr(0x838, kTicks);
}

using Case = std::tuple<ApicMode, How, bool>;

class ApicTimer : public testing::TestWithParam<Case> {
protected:
  static void write(Machine &machine, std::uint64_t gpa, std::string_view code) {
    ASSERT_TRUE(machine.memory().write_bytes(gpa, std::as_bytes(std::span(code))));
  }
};

TEST_P(ApicTimer, Fires) {
  REVEILLE_NEEDS_KVM();
  const auto [mode, how, halts] = GetParam();
  Scenario scenario;
  scenario.machine.vcpus = 2;
  scenario.machine.memory_mib = 64;
  scenario.machine.apic = mode;
  scenario.machine.x2apic = X2apic::kOn;
  scenario.bringup.max_cpus = 2;
  Machine machine = must(Machine::build(scenario, must(GuestImage::parse("by hand", TinyElf{}.bytes()))));
  const std::string again = how == How::kPeriodic ? "" : arm(how);
  write(machine, kPage << 12,
        write_msr(0x1b, kX2apic) + write_msr(0x80f, 0x1ff) + arm(how) + "\xfb" +
            (halts ? "\xf4\xeb\xfd" : "\xeb\xfe"));
  write(machine, kHandler,
        write_msr(0x80b, 0) + again + "\xe6" + static_cast<char>(kPort) + "\xcf"); // EOI; out; iret
  write(machine, kVector * 4u, bytes(kHandler));

  const auto binding = machine.vcpu(1).bind_to_this_thread();
  must(machine.bus().init(1));
  must(machine.bus().startup(1, kPage));
  const auto began = std::chrono::steady_clock::now();
  constexpr unsigned kTimes = 3;
  for (unsigned i = 0; i < kTimes; ++i) {
    Exit exit = machine.processor(1).run();
    while (std::holds_alternative<Interrupted>(exit))
      exit = machine.processor(1).run();
    const auto *out = std::get_if<IoOut>(&exit);
    ASSERT_TRUE(out != nullptr && out->port == kPort) << describe(exit);
  }
  // Not early, but for KVM's own head start (lapic_timer_advance_ns): a TSC may tick five times a
  // nanosecond, the LAPIC's clock does once.
  constexpr auto kHeadStart = std::chrono::microseconds(100);
  const auto least = std::chrono::nanoseconds(kTimes * kTicks / (how == How::kTscDeadline ? 5 : 1));
  EXPECT_GE(std::chrono::steady_clock::now() - began + kHeadStart, least);
}

std::string case_name(const testing::TestParamInfo<Case> &info) {
  constexpr const char *kModes[] = {"kernel", "split", "user"};
  constexpr const char *kHows[] = {"OneShot", "Periodic", "TscDeadline"};
  const auto [mode, how, halts] = info.param;
  return std::string(kModes[static_cast<unsigned>(mode)]) + kHows[static_cast<unsigned>(how)] +
         (halts ? "Halted" : "Running");
}

INSTANTIATE_TEST_SUITE_P(
    Modes, ApicTimer,
    testing::Combine(testing::Values(ApicMode::kKernel, ApicMode::kSplit, ApicMode::kUser),
                     testing::Values(How::kOneShot, How::kPeriodic, How::kTscDeadline), testing::Bool()),
    case_name);

} // namespace
} // namespace reveille::vmm
