#include "vmm/kvm/decode.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace reveille::vmm {
namespace {

constexpr std::size_t kPageBytes = 3 * 4096; // as KVM has it: run, port data, coalesced MMIO
constexpr std::size_t kPortData = 4096;

/// A run page that no kernel wrote.
class FakePage {
public:
  FakePage() : bytes_(kPageBytes) {}
  kvm_run &run() { return *reinterpret_cast<kvm_run *>(bytes_.data()); }
  RunPage page() { return bytes_; }
  std::byte *data() { return bytes_.data() + kPortData; }

  void io(std::uint8_t direction, std::uint8_t size, std::uint32_t count, std::uint64_t offset = kPortData) {
    run().exit_reason = KVM_EXIT_IO;
    run().io.direction = direction;
    run().io.size = size;
    run().io.port = 0x5e0;
    run().io.count = count;
    run().io.data_offset = offset;
  }

private:
  std::vector<std::byte> bytes_;
};

TEST(Decode, PortWriteHasItsItems) {
  FakePage fake;
  fake.io(KVM_EXIT_IO_OUT, 2, 3);
  for (int i = 0; i < 6; ++i)
    fake.data()[i] = static_cast<std::byte>(i + 1);
  const auto out = std::get<IoOut>(decode(fake.page()));
  EXPECT_EQ(out.port, 0x5e0);
  EXPECT_EQ(out.data.size(), 6u);
  EXPECT_EQ(out.value(0), 0x0201u);
  EXPECT_EQ(out.value(2), 0x0605u);
  EXPECT_EQ(out.value(3), 0u);
}

TEST(Decode, PortDataStaysInsideThePage) {
  FakePage fake;
  fake.io(KVM_EXIT_IO_OUT, 4, UINT32_MAX);
  EXPECT_EQ(std::get<IoOut>(decode(fake.page())).data.size(), kPageBytes - kPortData);
  fake.io(KVM_EXIT_IO_OUT, 4, 1, UINT64_MAX);
  EXPECT_TRUE(std::get<IoOut>(decode(fake.page())).data.empty());
  fake.io(KVM_EXIT_IO_IN, 1, UINT32_MAX);
  EXPECT_TRUE(answer_io(fake.page(), 0xff));
  fake.io(KVM_EXIT_IO_IN, 0, 5);
  EXPECT_TRUE(answer_io(fake.page(), 0xff));
}

TEST(Decode, PortReadIsAnsweredInEveryItem) {
  FakePage fake;
  fake.io(KVM_EXIT_IO_IN, 2, 2);
  EXPECT_TRUE(answer_io(fake.page(), 0x1234));
  std::uint32_t both = 0;
  std::memcpy(&both, fake.data(), sizeof both);
  EXPECT_EQ(both, 0x12341234u);
}

TEST(Decode, AnAnswerToAnotherExitChangesNothing) {
  FakePage fake;
  fake.io(KVM_EXIT_IO_OUT, 4, 1);
  EXPECT_FALSE(answer_io(fake.page(), 1));
  EXPECT_FALSE(answer_mmio(fake.page(), 1));
  EXPECT_FALSE(answer_msr(fake.page(), 1));
}

TEST(Decode, MemoryAccess) {
  FakePage fake;
  fake.run().exit_reason = KVM_EXIT_MMIO;
  fake.run().mmio.phys_addr = 0xfee000b0;
  fake.run().mmio.len = 4;
  fake.run().mmio.is_write = 1;
  const std::uint64_t written = 0xaabbccdd11223344;
  std::memcpy(fake.run().mmio.data, &written, sizeof written);
  EXPECT_EQ(std::get<MmioWrite>(decode(fake.page())).value, 0x11223344u); // four bytes, no more
  fake.run().mmio.len = UINT32_MAX;
  EXPECT_EQ(std::get<MmioWrite>(decode(fake.page())).size, 8);
  fake.run().mmio.is_write = 0;
  EXPECT_EQ(std::get<MmioRead>(decode(fake.page())).gpa, 0xfee000b0u);
  EXPECT_TRUE(answer_mmio(fake.page(), 7));
  EXPECT_EQ(fake.run().mmio.data[0], 7);
}

TEST(Decode, EmulationFailureHasItsBytesWhenKvmGivesThem) {
  FakePage fake;
  fake.run().exit_reason = KVM_EXIT_INTERNAL_ERROR;
  fake.run().emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
  fake.run().emulation_failure.ndata = 4;
  fake.run().emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
  fake.run().emulation_failure.insn_size = 3;
  std::memcpy(fake.run().emulation_failure.insn_bytes, "\x0f\x01\xf9", 3);
  EXPECT_EQ(describe(decode(fake.page())),
            "KVM internal error 1: an instruction that KVM cannot emulate, bytes 0f 01 f9");
  fake.run().emulation_failure.insn_size = 255;
  EXPECT_EQ(std::get<InternalError>(decode(fake.page())).length, 15);
  fake.run().emulation_failure.ndata = 0;
  EXPECT_EQ(std::get<InternalError>(decode(fake.page())).length, 0);
}

TEST(Decode, EveryReasonCanBePrinted) {
  FakePage fake;
  for (std::uint32_t reason = 0; reason < 256; ++reason) {
    fake.run().exit_reason = reason;
    EXPECT_FALSE(describe(decode(fake.page())).empty()) << reason;
  }
  fake.run().exit_reason = 4711;
  EXPECT_NE(describe(decode(fake.page())).find("4711"), std::string::npos);
  EXPECT_FALSE(describe(RunFailed{EFAULT}).empty());
}

// Whatever lies in the page, nothing outside it is touched: run under the sanitizers.
TEST(Decode, SurvivesRandomPages) {
  FakePage fake;
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::generate_n(reinterpret_cast<std::uint8_t *>(&fake.run()), sizeof(kvm_run),
                    [&] { return static_cast<std::uint8_t>(random()); });
    fake.run().exit_reason = static_cast<std::uint32_t>(random() % 40);
    if (random() % 2 == 0)
      fake.run().io.data_offset = random() % (2 * kPageBytes);
    EXPECT_FALSE(describe(decode(fake.page())).empty());
    answer_io(fake.page(), 1);
    answer_mmio(fake.page(), 1);
    answer_msr(fake.page(), 1);
  }
}

} // namespace
} // namespace reveille::vmm
