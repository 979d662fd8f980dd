// Opening KVM, kicks, INIT and SIPI, and what vCPUs share.
#include "tests/kvm/bare_guest.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

namespace reveille::vmm {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::BareGuest;
using test::Lapic;

constexpr auto kSpin = "\xeb\xfe"sv; // jmp $
constexpr auto kPatience = 20s;      // far above what a loaded machine takes

TEST(KvmLayerOpen, SaysWhatIsMissing) {
  const auto missing = Kvm::open("/nonexistent/kvm");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().status, ExitStatus::kUnsupported);
  EXPECT_NE(missing.error().message.find("cannot open /nonexistent/kvm"), std::string::npos);
  const auto wrong = Kvm::open("/dev/null");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().status, ExitStatus::kUnsupported);
  EXPECT_NE(wrong.error().message.find("does not answer as KVM does"), std::string::npos);
}

TEST(KvmLayerKick, EndsASpin) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest(kSpin, Lapic::kKernel);
  std::promise<void> bound;
  auto run = std::async(std::launch::async, [&] {
    const auto binding = guest.vcpu().bind_to_this_thread();
    bound.set_value();
    return guest.vcpu().run();
  });
  bound.get_future().wait();
  std::this_thread::sleep_for(20ms); // usually inside KVM_RUN by now; either way it must end
  guest.vcpu().kick();
  ASSERT_EQ(run.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(std::holds_alternative<Interrupted>(run.get()));
}

TEST(KvmLayerKick, EndsTheSleepOfAnApThatWaitsForInit) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest(kSpin, Lapic::kKernel, 2);
  std::promise<void> bound;
  auto run = std::async(std::launch::async, [&] {
    const auto binding = guest.vcpu(1).bind_to_this_thread();
    bound.set_value();
    return guest.vcpu(1).run();
  });
  bound.get_future().wait();
  std::this_thread::sleep_for(20ms);
  guest.vcpu(1).kick();
  ASSERT_EQ(run.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(std::holds_alternative<Interrupted>(run.get()));
}

TEST(KvmLayerKick, BeforeTheRunEndsItAtOnceAndOnlyOnce) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest("\xe6\x80\xeb\xfe"sv, Lapic::kKernel); // out 0x80, al
  guest.vcpu().kick();                                   // no thread is bound
  EXPECT_TRUE(std::holds_alternative<Interrupted>(guest.vcpu().run()));
  EXPECT_TRUE(std::holds_alternative<IoOut>(guest.vcpu().run()));
}

TEST(KvmLayerKick, NoneIsLostWhenItRacesWithTheRun) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest(kSpin, Lapic::kKernel);
  constexpr int kRounds = 2000;
  std::atomic<int> asked = 0;
  std::atomic<int> seen = 0;
  std::thread owner([&] {
    const auto binding = guest.vcpu().bind_to_this_thread();
    while (seen < kRounds)
      if (std::holds_alternative<Interrupted>(guest.vcpu().run()))
        seen.store(asked.load());
  });
  bool lost = false;
  const auto enough = std::chrono::steady_clock::now() + 3s;
  for (int round = 1; round <= kRounds && !lost; ++round) {
    asked = round;
    guest.vcpu().kick();
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (seen < round && !lost) {
      std::this_thread::yield();
      lost = std::chrono::steady_clock::now() > deadline;
    }
    if (std::chrono::steady_clock::now() > enough)
      break; // a busy machine; what was tried was seen
  }
  EXPECT_FALSE(lost) << "the kick of round " << asked << " was not seen";
  asked = kRounds;
  guest.vcpu().kick(); // so that the thread ends even then
  owner.join();
}

TEST(KvmLayerStart, OnlyTheFirstVcpuRunsByItself) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest(kSpin, Lapic::kKernel, 3);
  EXPECT_EQ(guest.vcpu(0).mp_state().value(), MpState::kRunnable);
  EXPECT_EQ(guest.vcpu(1).mp_state().value(), MpState::kUninitialized);
  EXPECT_EQ(guest.vcpu(2).mp_state().value(), MpState::kUninitialized);
}

TEST(KvmLayerStart, InitAndSipiStartAnApOnItsPage) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest("\xe6\x80"sv, Lapic::kKernel, 2); // out 0x80, al
  test::must(guest.vm().signal_msi(1, {lapic::Delivery::kInit}));
  EXPECT_EQ(guest.vcpu(1).mp_state().value(), MpState::kInitReceived);
  test::must(guest.vm().signal_msi(1, {lapic::Delivery::kStartup, BareGuest::kCodePage}));
  const Exit exit = guest.vcpu(1).run();
  EXPECT_TRUE(std::holds_alternative<IoOut>(exit)) << describe(exit);
  EXPECT_EQ(guest.vcpu(1).linear_rip().value() & ~0xfu, BareGuest::kCode);
}

TEST(KvmLayerStart, ASignalToNobodyIsAnError) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest(kSpin, Lapic::kKernel, 2);
  EXPECT_FALSE(guest.vm().signal_msi(77, {lapic::Delivery::kInit}));
}

TEST(KvmLayerState, RegistersReadBack) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest(kSpin, Lapic::kKernel);
  auto regs = guest.vcpu().regs().value();
  regs.r15 = 0x1122334455667788;
  ASSERT_TRUE(guest.vcpu().set_regs(regs));
  EXPECT_EQ(guest.vcpu().regs().value().r15, 0x1122334455667788u);
  auto debug = guest.vcpu().debugregs().value();
  debug.db[0] = 0x1000;
  ASSERT_TRUE(guest.vcpu().set_debugregs(debug));
  EXPECT_EQ(guest.vcpu().debugregs().value().db[0], 0x1000u);
  ASSERT_TRUE(guest.vcpu().set_events(guest.vcpu().events().value()));
  const auto bad = guest.vcpu().msr(0xdeadbeef);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("vCPU 0"), std::string::npos);
}

TEST(KvmLayerState, TimeStampCountersAgree) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest(kSpin, Lapic::kKernel, 3);
  const std::uint64_t khz = guest.vcpu().tsc_khz().value();
  ASSERT_GT(khz, 0u);
  for (std::size_t i = 1; i < 3; ++i) {
    const auto first = guest.vcpu(0).tsc().value();
    const auto other = guest.vcpu(i).tsc().value();
    const auto again = guest.vcpu(0).tsc().value();
    const std::uint64_t slack = khz; // a millisecond
    EXPECT_GE(other + slack, first) << "vCPU " << i;
    EXPECT_LE(other, again + slack) << "vCPU " << i;
  }
}

} // namespace
} // namespace reveille::vmm
