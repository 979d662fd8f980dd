#include "vmm/machine/platform.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

void say(Platform &platform, const std::string &text) {
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(text.data());
  platform.write(IoOut{Serial::kBase, 1, static_cast<std::uint32_t>(text.size()), {bytes, text.size()}});
}

TEST(Platform, SerialCollectsPrintableLines) {
  Platform platform;
  say(platform, "hello\r\nwor\x1b[2Jld");
  EXPECT_EQ(platform.serial_lines(), (std::vector<std::string>{"hello", "wor?[2Jld"}));
}

TEST(Platform, SerialIsAlwaysReadyToSend) {
  Platform platform;
  EXPECT_EQ(platform.read(IoIn{Serial::kBase + 5, 1, 1}) & 0x60, 0x60u);
}

TEST(Platform, ADivisorIsNotText) {
  Platform platform;
  const std::uint8_t access = 0x80;
  const std::uint8_t divisor = 'A';
  const std::uint8_t plain = 0x03;
  platform.write(IoOut{Serial::kBase + 3, 1, 1, {&access, 1}});
  platform.write(IoOut{Serial::kBase, 1, 1, {&divisor, 1}});
  platform.write(IoOut{Serial::kBase + 3, 1, 1, {&plain, 1}});
  EXPECT_TRUE(platform.serial_lines().empty());
  EXPECT_EQ(platform.read(IoIn{Serial::kBase + 3, 1, 1}) & 0xff, 0x03u);
}

TEST(Platform, SerialOutputIsBounded) {
  Platform platform;
  const std::string block(4096, 'x');
  for (int i = 0; i < 200; ++i)
    say(platform, block);
  std::size_t total = 0;
  for (const std::string &line : platform.serial_lines()) {
    EXPECT_LE(line.size(), Serial::kMaxLine);
    total += line.size();
  }
  EXPECT_EQ(total, Serial::kMaxTotal);
}

TEST(Platform, NobodyReadsAsAllOnes) {
  Platform platform;
  EXPECT_EQ(platform.read(IoIn{0x1234, 4, 1}), UINT32_MAX);
  EXPECT_EQ(platform.read(MmioRead{0xd0000000, 8}), UINT64_MAX);
  const std::uint8_t byte = 1;
  platform.write(IoOut{0x1234, 1, 1, {&byte, 1}});
  platform.write(MmioWrite{0xd0000000, 1, 1});
  EXPECT_EQ(platform.read(IoIn{Serial::kBase + 7, 4, 1}) >> 8, 0xffffffu); // beyond its last port
}

TEST(Platform, AWriteOfNothingIsNothing) {
  Platform platform;
  platform.write(IoOut{Serial::kBase, 0, 3, {}});
  EXPECT_TRUE(platform.serial_lines().empty());
}

} // namespace
} // namespace reveille::vmm
