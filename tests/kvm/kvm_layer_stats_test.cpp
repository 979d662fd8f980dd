// What KVM counts of a vCPU.
#include "tests/kvm/bare_guest.hpp"

#include <map>

namespace reveille::vmm::test {
namespace {

std::map<std::string, std::uint64_t> counters(const Vcpu &vcpu) {
  std::map<std::string, std::uint64_t> by_name;
  for (const KvmStat &stat : must(vcpu.stats()))
    EXPECT_TRUE(by_name.emplace(stat.name, stat.value).second) << stat.name;
  return by_name;
}

TEST(KvmStats, CountExits) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest("\xe6\x80\xe6\x80\xf4", Lapic::kNone); // out 0x80, al; twice; hlt
  const auto before = counters(guest.vcpu());
  ASSERT_TRUE(before.contains("exits") && before.contains("halt_exits"));
  EXPECT_EQ(before.at("exits"), 0U);
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(std::holds_alternative<IoOut>(guest.vcpu().run()));
  EXPECT_TRUE(std::holds_alternative<Hlt>(guest.vcpu().run()));
  const auto after = counters(guest.vcpu());
  EXPECT_GE(after.at("exits"), 1U);
  EXPECT_EQ(after.at("halt_exits"), 1U);
}

TEST(KvmStats, AreNotReadFromWhatHasNone) {
  const Fd nothing;
  EXPECT_FALSE(read_stats(nothing));
}

} // namespace
} // namespace reveille::vmm::test
