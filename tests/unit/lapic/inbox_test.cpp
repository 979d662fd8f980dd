// What lies between two looks into an inbox: SDM 3, 11.4.7.3, 9.4 "Multiple-Processor Initialization".
#include "bench.hpp"

#include <thread>

namespace reveille::vmm::lapic::test {
namespace {

Message message(Delivery delivery, std::uint8_t vector = 0, bool level = false) {
  return {delivery, vector, level};
}

TEST(LapicInbox, AnInitVoidsWhatWasThere) {
  Inbox inbox;
  inbox.post(message(Delivery::kFixed, 0x40));
  inbox.post(message(Delivery::kNmi));
  inbox.post(message(Delivery::kStartup, 1));
  inbox.post(message(Delivery::kInit));
  const Mail mail = inbox.take();
  EXPECT_TRUE(mail.init);
  EXPECT_FALSE(mail.nmi);
  EXPECT_FALSE(mail.startup);
  EXPECT_EQ(mail.edge, VectorSet{});
}

TEST(LapicInbox, TheFirstSipiAfterAnInitCounts) {
  Inbox inbox;
  inbox.post(message(Delivery::kInit));
  inbox.post(message(Delivery::kStartup, 0x11));
  inbox.post(message(Delivery::kStartup, 0x22));
  const Mail mail = inbox.take();
  EXPECT_TRUE(mail.init);
  EXPECT_EQ(mail.startup, 0x11);
}

TEST(LapicInbox, TakingEmptiesIt) {
  Inbox inbox;
  EXPECT_FALSE(inbox.any());
  inbox.post(message(Delivery::kNmi));
  EXPECT_TRUE(inbox.any());
  EXPECT_TRUE(inbox.take().nmi);
  EXPECT_FALSE(inbox.any());
  EXPECT_FALSE(inbox.take().nmi);
}

TEST(LapicInbox, AVectorIsTriggeredAsTheLastOneSays) {
  Inbox inbox;
  inbox.post(message(Delivery::kFixed, 0x40, true));
  inbox.post(message(Delivery::kFixed, 0x40, false));
  inbox.post(message(Delivery::kFixed, 0x41, true));
  const Mail mail = inbox.take();
  EXPECT_TRUE(mail.edge.has(0x40) && !mail.level.has(0x40));
  EXPECT_TRUE(mail.level.has(0x41) && !mail.edge.has(0x41));
}

TEST(LapicInbox, ManyThreadsPostOneTakes) {
  constexpr unsigned kRounds = 2000;
  Bench bench(5);
  std::vector<std::thread> senders;
  for (std::uint8_t s = 1; s < 5; ++s)
    senders.emplace_back([&bench, s] {
      for (unsigned i = 0; i < kRounds; ++i)
        bench[s].send(0, kAssert | (0x40u + s));
    });
  unsigned served = 0;
  const auto serve = [&] {
    while (bench[0].serve() != 0) {
      bench[0].set(Register::kEoi, 0);
      ++served;
    }
  };
  for (auto &sender : senders) {
    serve();
    sender.join();
  }
  serve();
  EXPECT_GE(served, 4u);
  EXPECT_LE(served, 4 * kRounds);
  EXPECT_FALSE(bench[0].lapic.inbox().any());
}

} // namespace
} // namespace reveille::vmm::lapic::test
