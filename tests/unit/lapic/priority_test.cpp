// Taking interrupts: SDM 3, 11.8.
#include "bench.hpp"

namespace reveille::vmm::lapic::test {
namespace {

class LapicPriority : public testing::Test {
protected:
  void post(std::uint8_t vector, bool level = false) {
    cpu().lapic.inbox().post({Delivery::kFixed, vector, level});
    static_cast<void>(cpu().lapic.take());
  }
  Cpu &cpu() { return bench[0]; }

  Bench bench{1};
};

// 11.8.4 "Interrupt Acceptance for Fixed Interrupts": IRR, then ISR
TEST_F(LapicPriority, GoesFromIrrToIsrAndOut) {
  post(0x41);
  EXPECT_TRUE(cpu().has(Register::kInterruptRequest, 0x41));
  EXPECT_EQ(cpu().serve(), 0x41);
  EXPECT_FALSE(cpu().has(Register::kInterruptRequest, 0x41));
  EXPECT_TRUE(cpu().has(Register::kInService, 0x41));
  cpu().set(Register::kEoi, 0);
  EXPECT_FALSE(cpu().has(Register::kInService, 0x41));
}

// 11.8.3: the higher vector first; a higher class interrupts a lower one
TEST_F(LapicPriority, TheHighestComesFirst) {
  post(0x41);
  post(0x92);
  post(0x4f);
  EXPECT_EQ(cpu().serve(), 0x92);
  EXPECT_EQ(cpu().serve(), 0) << "its class is served";
  post(0xa0);
  EXPECT_EQ(cpu().serve(), 0xa0);
  cpu().set(Register::kEoi, 0);
  cpu().set(Register::kEoi, 0);
  EXPECT_EQ(cpu().serve(), 0x4f);
}

// 11.8.3: within a class nothing interrupts
TEST_F(LapicPriority, AClassWaitsForItself) {
  post(0x41);
  EXPECT_EQ(cpu().serve(), 0x41);
  post(0x4f);
  EXPECT_EQ(cpu().serve(), 0);
  cpu().set(Register::kEoi, 0);
  EXPECT_EQ(cpu().serve(), 0x4f);
}

// 11.8.4: one more is kept while one is served, and no more
TEST_F(LapicPriority, OneOfAVectorIsKeptBehindTheOneInService) {
  post(0x41);
  EXPECT_EQ(cpu().serve(), 0x41);
  post(0x41);
  post(0x41);
  cpu().set(Register::kEoi, 0);
  EXPECT_EQ(cpu().serve(), 0x41);
  cpu().set(Register::kEoi, 0);
  EXPECT_EQ(cpu().serve(), 0);
}

// 11.8.5: EOI ends the highest in service
TEST_F(LapicPriority, EoiEndsTheHighest) {
  post(0x41);
  EXPECT_EQ(cpu().serve(), 0x41);
  post(0x92);
  EXPECT_EQ(cpu().serve(), 0x92);
  cpu().set(Register::kEoi, 0);
  EXPECT_TRUE(cpu().has(Register::kInService, 0x41));
  EXPECT_FALSE(cpu().has(Register::kInService, 0x92));
  cpu().set(Register::kEoi, 0);
  cpu().set(Register::kEoi, 0); // one too many is nothing
  EXPECT_FALSE(cpu().has(Register::kInService, 0x41));
}

// 11.8.3.1: the TPR holds back its class and those below
TEST_F(LapicPriority, TheTaskPriorityHoldsBack) {
  cpu().set(Register::kTaskPriority, 0x40);
  post(0x4f);
  EXPECT_EQ(cpu().serve(), 0);
  post(0x50);
  EXPECT_EQ(cpu().serve(), 0x50);
  cpu().set(Register::kEoi, 0);
  cpu().set(Register::kTaskPriority, 0x3f);
  EXPECT_EQ(cpu().serve(), 0x4f);
}

// 11.8.3.1: PPR is the higher of TPR and the class in service, whose lower half is 0
TEST_F(LapicPriority, ProcessorPriority) {
  cpu().set(Register::kTaskPriority, 0x25);
  EXPECT_EQ(cpu().get(Register::kProcessorPriority), 0x25u);
  post(0x4f);
  EXPECT_EQ(cpu().serve(), 0x4f);
  EXPECT_EQ(cpu().get(Register::kProcessorPriority), 0x40u);
  cpu().set(Register::kTaskPriority, 0x51);
  EXPECT_EQ(cpu().get(Register::kProcessorPriority), 0x51u);
}

// 11.6.2.4: the arbitration priority counts what is requested too
TEST_F(LapicPriority, ArbitrationPriority) {
  cpu().set(Register::kTaskPriority, 0x25);
  EXPECT_EQ(cpu().get(Register::kArbitrationPriority), 0x25u);
  post(0x4f);
  EXPECT_EQ(cpu().get(Register::kArbitrationPriority), 0x40u);
}

// 11.8.6 "Task Priority in IA-32e Mode"
TEST_F(LapicPriority, Cr8IsTheUpperHalfOfTpr) {
  cpu().set(Register::kTaskPriority, 0x74);
  EXPECT_EQ(cpu().lapic.cr8(), 7);
  cpu().lapic.set_cr8(7); // no change keeps the lower half
  EXPECT_EQ(cpu().get(Register::kTaskPriority), 0x74u);
  cpu().lapic.set_cr8(0xc);
  EXPECT_EQ(cpu().get(Register::kTaskPriority), 0xc0u);
}

// 11.8.4: TMR says how it was triggered
TEST_F(LapicPriority, TriggerMode) {
  post(0x41, true);
  post(0x52);
  EXPECT_TRUE(cpu().has(Register::kTriggerMode, 0x41));
  EXPECT_FALSE(cpu().has(Register::kTriggerMode, 0x52));
  EXPECT_EQ(cpu().serve(), 0x52);
  cpu().set(Register::kEoi, 0);
  EXPECT_EQ(cpu().serve(), 0x41);
  cpu().set(Register::kEoi, 0);
  post(0x41, false);
  EXPECT_FALSE(cpu().has(Register::kTriggerMode, 0x41));
}

// 11.4.7.2: disabled by software, no interrupt is taken; what is in IRR is held; INIT, NMI and SIPI pass
TEST_F(LapicPriority, SoftwareDisable) {
  post(0x41);
  cpu().set(Register::kSpuriousVector, 0xff);
  post(0x52);
  EXPECT_FALSE(cpu().has(Register::kInterruptRequest, 0x52));
  EXPECT_EQ(cpu().serve(), 0x41);
  cpu().lapic.inbox().post({Delivery::kInit});
  cpu().lapic.inbox().post({Delivery::kNmi});
  cpu().lapic.inbox().post({Delivery::kStartup, 3});
  const Mail mail = cpu().lapic.take();
  EXPECT_TRUE(mail.init && mail.nmi);
  EXPECT_EQ(mail.startup, 3);
}

} // namespace
} // namespace reveille::vmm::lapic::test
