// A machine in each of its LAPIC modes: what comes over the bus arrives, and a CPU's state tells.
#include "tests/kvm/bare_guest.hpp"
#include "tests/unit/machine/tiny_elf.hpp"
#include "vmm/kvm/kick_signal.hpp"
#include "vmm/machine/machine.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

namespace reveille::vmm {
namespace {

using test::must;
using test::TinyElf;
using namespace std::string_view_literals;

constexpr std::uint8_t kPage = 2; ///< where the AP's code is
constexpr std::uint8_t kVector = 0x40;

/// Real mode: puts the LAPIC in x2APIC mode, software-enables it, says so (out 0x80, al), and halts for
/// ever, with interrupts on.
constexpr auto kHalter = "\x66\xb9\x1b\0\0\0"   // mov ecx, 0x1b
                         "\x0f\x32\x80\xcc\x04" // rdmsr; or ah, 4
                         "\x0f\x30"             // wrmsr
                         "\x66\xb9\x0f\x08\0\0" // mov ecx, 0x80f
                         "\x66\xb8\xff\x01\0\0" // mov eax, 0x1ff
                         "\x66\x31\xd2\x0f\x30" // xor edx, edx; wrmsr
                         "\xe6\x80\xfb"         // out 0x80, al; sti
                         "\xf4\xeb\xfd"sv;      // hlt; jmp to it
constexpr std::uint16_t kHandlers = 0x3000;     ///< a handler each 16 bytes: out 0x81..; iret
constexpr std::uint8_t kNmiPort = 0x81;
constexpr std::uint8_t kFixedPort = 0x82;

class ApicModes : public testing::TestWithParam<ApicMode> {
protected:
  void SetUp() override { REVEILLE_NEEDS_KVM(); }

  Machine build(std::uint32_t vcpus) const {
    Scenario scenario;
    scenario.machine.vcpus = vcpus;
    scenario.machine.memory_mib = 64;
    scenario.machine.apic = GetParam();
    scenario.machine.x2apic = X2apic::kOn;
    scenario.bringup.max_cpus = vcpus;
    Machine machine = must(Machine::build(scenario, must(GuestImage::parse("by hand", TinyElf{}.bytes()))));
    write(machine, kPage << 12, kHalter);
    for (const auto &[vector, port] : {std::pair{2, kNmiPort}, std::pair{int{kVector}, kFixedPort}}) {
      const std::uint64_t handler = kHandlers + 16u * port;
      write(machine, static_cast<std::uint64_t>(vector) * 4,
            std::string{static_cast<char>(handler & 0xff), static_cast<char>(handler >> 8), 0, 0});
      write(machine, handler, std::string{'\xe6', static_cast<char>(port), '\xcf'});
    }
    return machine;
  }

  static void write(Machine &machine, std::uint64_t gpa, std::string_view code) {
    EXPECT_TRUE(machine.memory().write_bytes(gpa, std::as_bytes(std::span(code))));
  }

  /// Runs it until it writes to a port, which is returned.
  static int next_port(Processor &processor) {
    const Exit exit = processor.run();
    if (const auto *out = std::get_if<IoOut>(&exit))
      return out->port;
    ADD_FAILURE() << describe(exit);
    return -1;
  }

  static void start(Machine &machine, CpuIndex cpu) {
    must(machine.bus().init(cpu));
    must(machine.bus().startup(cpu, kPage));
  }
};

TEST_P(ApicModes, AnApWaitsForInitThenForSipi) {
  Machine machine = build(3);
  EXPECT_EQ(machine.processor(0).state().value(), MpState::kRunnable);
  Processor &ap = machine.processor(2);
  EXPECT_EQ(ap.state().value(), MpState::kUninitialized);
  must(machine.bus().startup(2, kPage));
  EXPECT_EQ(ap.state().value(), MpState::kUninitialized) << "a SIPI before the INIT is void";
  must(machine.bus().init(2));
  EXPECT_EQ(ap.state().value(), MpState::kInitReceived);
  must(machine.bus().startup(2, kPage));
  EXPECT_EQ(ap.state().value(), MpState::kRunnable);
  EXPECT_EQ(ap.vcpu().linear_rip().value(), kPage << 12);
  EXPECT_EQ(next_port(ap), 0x80);
  EXPECT_EQ(machine.processor(1).state().value(), MpState::kUninitialized);
}

TEST_P(ApicModes, AnInterruptAndAnNmiWakeAHaltedCpu) {
  Machine machine = build(2);
  Processor &ap = machine.processor(1);
  start(machine, 1);
  ASSERT_EQ(next_port(ap), 0x80);
  for (int round = 0; round < 3; ++round) {
    std::thread sender([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2)); // most likely it halts by then
      must(machine.bus().fixed(1, kVector));
    });
    EXPECT_EQ(next_port(ap), kFixedPort);
    sender.join();
    // No EOI: further ones of that class stay pending, and an NMI does not mind.
    must(machine.bus().nmi(1));
    EXPECT_EQ(next_port(ap), kNmiPort);
    start(machine, 1);
    EXPECT_EQ(next_port(ap), 0x80);
  }
}

TEST_P(ApicModes, AnNmiToACpuThatWaitsIsTakenBehindItsSipiAndVoidWithAnInit) {
  Machine machine = build(2);
  Processor &ap = machine.processor(1);
  for (int round = 0; round < 2; ++round) { // before its first INIT, and when it has run
    must(machine.bus().nmi(1));
    EXPECT_EQ(ap.state().value(), round == 0 ? MpState::kUninitialized : MpState::kInitReceived);
    start(machine, 1);
    EXPECT_EQ(next_port(ap), 0x80);
    must(machine.bus().init(1));
    EXPECT_EQ(ap.state().value(), MpState::kInitReceived);
  }
  must(machine.bus().nmi(1));
  EXPECT_EQ(ap.state().value(), MpState::kInitReceived);
  must(machine.bus().startup(1, kPage));
  EXPECT_EQ(next_port(ap), kNmiPort);
  EXPECT_EQ(next_port(ap), 0x80);
}

TEST_P(ApicModes, AnInterruptToACpuThatWaitsIsLost) {
  Machine machine = build(2);
  Processor &ap = machine.processor(1);
  must(machine.bus().fixed(1, kVector));
  EXPECT_EQ(ap.state().value(), MpState::kUninitialized);
  start(machine, 1);
  EXPECT_EQ(next_port(ap), 0x80);
  const auto binding = machine.vcpu(1).bind_to_this_thread();
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ap.kick();
  });
  EXPECT_TRUE(std::holds_alternative<Interrupted>(ap.run()));
  sender.join();
  EXPECT_EQ(ap.state().value(), MpState::kHalted);
  must(machine.bus().fixed(1, kVector));
  EXPECT_EQ(next_port(ap), kFixedPort);
}

TEST_P(ApicModes, AKickGetsAWaitingCpuOut) {
  Machine machine = build(2);
  for (const bool is_started : {false, true}) {
    if (is_started) {
      start(machine, 1);
      ASSERT_EQ(next_port(machine.processor(1)), 0x80);
    }
    const auto binding = machine.vcpu(1).bind_to_this_thread();
    std::thread sender([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      machine.processor(1).kick();
    });
    EXPECT_TRUE(std::holds_alternative<Interrupted>(machine.processor(1).run()));
    sender.join();
    EXPECT_EQ(machine.processor(1).state().value(), is_started ? MpState::kHalted : MpState::kUninitialized);
  }
}

TEST_P(ApicModes, ASignalGetsARunningCpuOut) {
  Machine machine = build(2);
  write(machine, kPage << 12, "\xe6\x80\xeb\xfe"sv); // out 0x80, al; jmp to itself
  start(machine, 1);
  ASSERT_EQ(next_port(machine.processor(1)), 0x80);
  const auto binding = machine.vcpu(1).bind_to_this_thread();
  const pthread_t runner = pthread_self();
  std::atomic<bool> is_out = false;
  std::thread sender([&] {
    while (!is_out) { // it may not be in yet
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      pthread_kill(runner, kick_signal());
    }
  });
  EXPECT_TRUE(std::holds_alternative<Interrupted>(machine.processor(1).run()));
  is_out = true;
  sender.join();
}

TEST_P(ApicModes, AnInitFindsARunningCpu) {
  Machine machine = build(2);
  write(machine, kPage << 12, "\xe6\x80\xeb\xfe"sv); // out 0x80, al; jmp to itself
  start(machine, 1);
  Processor &ap = machine.processor(1);
  ASSERT_EQ(next_port(ap), 0x80);
  const auto binding = machine.vcpu(1).bind_to_this_thread();
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    start(machine, 1);
  });
  EXPECT_EQ(next_port(ap), 0x80) << "it starts again";
  sender.join();
}

TEST_P(ApicModes, NobodyIsAnError) {
  Machine machine = build(2);
  EXPECT_FALSE(machine.bus().send(77, {lapic::Delivery::kInit}));
}

std::string mode_name(const testing::TestParamInfo<ApicMode> &info) {
  constexpr const char *kNames[] = {"kernel", "split", "user"};
  return kNames[static_cast<unsigned>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Modes, ApicModes,
                         testing::Values(ApicMode::kKernel, ApicMode::kSplit, ApicMode::kUser), mode_name);

} // namespace
} // namespace reveille::vmm
