// Each kind of exit, made by a few bytes of real-mode code.
#include "tests/kvm/bare_guest.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace reveille::vmm {
namespace {

using namespace std::string_view_literals;
using test::BareGuest;
using test::Lapic;

TEST(KvmLayerExits, Halt) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest("\xf4"sv, Lapic::kNone);
  EXPECT_TRUE(std::holds_alternative<Hlt>(guest.vcpu().run()));
}

TEST(KvmLayerExits, PortWritesOfEachSize) {
  REVEILLE_NEEDS_KVM();
  // mov dx, 0x5e0; mov eax, 0x12345678; out dx, al; out dx, ax; out dx, eax
  BareGuest guest("\xba\xe0\x05\x66\xb8\x78\x56\x34\x12\xee\xef\x66\xef"sv, Lapic::kNone);
  for (const auto &[size, value] : {std::pair{1, 0x78u}, {2, 0x5678u}, {4, 0x12345678u}}) {
    const Exit exit = guest.vcpu().run();
    const auto *out = std::get_if<IoOut>(&exit);
    ASSERT_NE(out, nullptr) << describe(exit);
    EXPECT_EQ(out->port, 0x5e0);
    EXPECT_EQ(out->size, size);
    EXPECT_EQ(out->count, 1u);
    EXPECT_EQ(out->value(), value);
  }
}

TEST(KvmLayerExits, PortReadGetsItsAnswer) {
  REVEILLE_NEEDS_KVM();
  // in al, 0x71; out 0x80, al
  BareGuest guest("\xe4\x71\xe6\x80"sv, Lapic::kNone);
  const Exit read = guest.vcpu().run();
  ASSERT_TRUE(std::holds_alternative<IoIn>(read)) << describe(read);
  EXPECT_EQ(std::get<IoIn>(read).port, 0x71);
  guest.vcpu().reply_io(0xa5);
  const Exit written = guest.vcpu().run();
  ASSERT_TRUE(std::holds_alternative<IoOut>(written)) << describe(written);
  EXPECT_EQ(std::get<IoOut>(written).value(), 0xa5u);
}

TEST(KvmLayerExits, StringWriteArrivesWhole) {
  REVEILLE_NEEDS_KVM();
  // mov dx, 0x5e0; mov si, 0x1100; mov cx, 100; cld; rep outsw; hlt
  BareGuest guest("\xba\xe0\x05\xbe\x00\x11\xb9\x64\x00\xfc\xf3\x6f\xf4"sv, Lapic::kNone);
  std::string sent(200, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i)
    sent[i] = static_cast<char>(i);
  std::memcpy(guest.memory().data() + 0x1100, sent.data(), sent.size());
  std::string got;
  Exit exit = guest.vcpu().run();
  for (; std::holds_alternative<IoOut>(exit) && got.size() < 1000; exit = guest.vcpu().run()) {
    const auto &out = std::get<IoOut>(exit);
    EXPECT_EQ(out.data.size(), std::size_t{out.size} * out.count);
    got.append(reinterpret_cast<const char *>(out.data.data()), out.data.size());
  }
  EXPECT_TRUE(std::holds_alternative<Hlt>(exit)) << describe(exit);
  EXPECT_EQ(got, sent);
}

TEST(KvmLayerExits, StringReadIsAnsweredInEveryItem) {
  REVEILLE_NEEDS_KVM();
  // mov dx, 0x5e0; mov di, 0x2000; mov cx, 50; cld; rep insw; hlt
  BareGuest guest("\xba\xe0\x05\xbf\x00\x20\xb9\x32\x00\xfc\xf3\x6d\xf4"sv, Lapic::kNone);
  Exit exit = guest.vcpu().run();
  for (int i = 0; std::holds_alternative<IoIn>(exit) && i < 100; ++i) {
    guest.vcpu().reply_io(0xbeef);
    exit = guest.vcpu().run();
  }
  EXPECT_TRUE(std::holds_alternative<Hlt>(exit)) << describe(exit);
  for (std::size_t i = 0; i < 100; i += 2) {
    EXPECT_EQ(guest.memory()[0x2000 + i], std::byte{0xef}) << i;
    EXPECT_EQ(guest.memory()[0x2001 + i], std::byte{0xbe}) << i;
  }
  EXPECT_EQ(guest.memory()[0x2000 + 100], std::byte{0});
}

TEST(KvmLayerExits, MemoryThatIsNotThere) {
  REVEILLE_NEEDS_KVM();
  // mov ax, 0xb800; mov ds, ax; mov ax, [4]; mov word [8], 0x1234 is sent back as read
  BareGuest guest("\xb8\x00\xb8\x8e\xd8\xa1\x04\x00\xa3\x08\x00"sv, Lapic::kNone);
  const Exit read = guest.vcpu().run();
  ASSERT_TRUE(std::holds_alternative<MmioRead>(read)) << describe(read);
  EXPECT_EQ(std::get<MmioRead>(read).gpa, 0xb8004u);
  EXPECT_EQ(std::get<MmioRead>(read).size, 2);
  guest.vcpu().reply_mmio(0xcafe);
  const Exit write = guest.vcpu().run();
  ASSERT_TRUE(std::holds_alternative<MmioWrite>(write)) << describe(write);
  EXPECT_EQ(std::get<MmioWrite>(write).gpa, 0xb8008u);
  EXPECT_EQ(std::get<MmioWrite>(write).value, 0xcafeu);
}

TEST(KvmLayerExits, InjectedTripleFaultEndsASpin) {
  REVEILLE_NEEDS_KVM();
  for (const Lapic lapic : {Lapic::kNone, Lapic::kKernel}) {
    BareGuest guest("\xeb\xfe"sv, lapic); // jmp $
    ASSERT_TRUE(guest.vcpu().inject_triple_fault());
    const Exit exit = guest.vcpu().run();
    EXPECT_TRUE(std::holds_alternative<Shutdown>(exit)) << describe(exit);
    EXPECT_EQ(guest.vcpu().linear_rip().value(), BareGuest::kCode);
  }
}

TEST(KvmLayerExits, InjectedTripleFaultWhileAPortAccessIsPending) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest("\xe6\x80\xeb\xfe"sv, Lapic::kKernel); // out 0x80, al; jmp $
  ASSERT_TRUE(std::holds_alternative<IoOut>(guest.vcpu().run()));
  ASSERT_TRUE(guest.vcpu().inject_triple_fault());
  const Exit exit = guest.vcpu().run();
  EXPECT_TRUE(std::holds_alternative<Shutdown>(exit)) << describe(exit);
}

TEST(KvmLayerExits, AnInstructionThatKvmCannotEmulateIsShown) {
  REVEILLE_NEEDS_KVM();
  BareGuest guest("\xf3\x0f\xb8\xc0\xe6\x80"sv, Lapic::kNone); // popcnt ax, ax; out 0x80, al
  const Exit exit = guest.vcpu().run();
  if (std::holds_alternative<IoOut>(exit))
    GTEST_SKIP() << "this KVM runs popcnt; there is nothing that it cannot emulate";
  const auto *error = std::get_if<InternalError>(&exit);
  ASSERT_NE(error, nullptr) << describe(exit);
  EXPECT_EQ(error->suberror, 1u);
  EXPECT_NE(describe(exit).find("f3 0f b8 c0"), std::string::npos) << describe(exit);
}

} // namespace
} // namespace reveille::vmm
