#include "vmm/machine/guest_image.hpp"

#include "tests/unit/machine/tiny_elf.hpp"
#include "vmm/machine/symbols.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace reveille::vmm {
namespace {

using test::TinyElf;

std::string refusal(const TinyElf &elf) {
  const auto image = GuestImage::parse("g.elf", elf.bytes());
  if (image)
    return "it was accepted";
  EXPECT_EQ(image.error().status, ExitStatus::kUsage);
  EXPECT_EQ(image.error().message.rfind("g.elf: ", 0), 0u) << image.error().message;
  return image.error().message;
}

void expect_in(const std::string &text, const std::string &part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(GuestImage, FindsSegmentsAndEntry) {
  TinyElf elf;
  elf.code = "abc";
  elf.memory_size = 0x2000;
  for (const std::uint32_t size : {4u, 8u}) {
    elf.entry_size = size;
    const auto image = GuestImage::parse("g.elf", elf.bytes());
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->entry(), TinyElf::kLoadAddress);
    ASSERT_EQ(image->segments().size(), 1u);
    EXPECT_EQ(image->segments()[0].range, (GuestRange{0x100000, 0x102000}));
    EXPECT_EQ(image->segments()[0].held, 3u);
  }
}

TEST(GuestImage, LoadsTheFilesBytesAndZerosTheRest) {
  TinyElf elf;
  elf.code = "abc";
  elf.memory_size = 8;
  const auto memory = GuestMemory::create(16);
  ASSERT_TRUE(memory->write<std::uint64_t>(TinyElf::kLoadAddress, UINT64_MAX));
  const auto image = GuestImage::parse("g.elf", elf.bytes());
  ASSERT_TRUE(image->load(*memory, {}));
  EXPECT_EQ(memory->read<std::uint64_t>(TinyElf::kLoadAddress), 0x636261u);
}

TEST(GuestImage, SaysWhyItRefusesAFile) {
  expect_in(refusal({.elf_class = 1}), "not a 64-bit");
  expect_in(refusal({.machine = 183}), "for machine 183");
  expect_in(refusal({.type = 3}), "ET_EXEC");
  expect_in(refusal({.has_note = false}), "no PVH entry");
  expect_in(refusal({.entry = 0x200000}), "outside every segment");
  expect_in(refusal({.entry = 0x100000000, .entry_size = 8}), "above 4 GiB");
  expect_in(refusal({.file_size = 0x1000}), "more bytes in the file than in memory");
  expect_in(refusal({.memory_size = 0x1000, .file_size = 0x1000}), "cut short");
  expect_in(refusal({.code = "abc", .offset = UINT64_MAX - 2}), "cut short"); // its end wraps to 0
  expect_in(refusal({.memory_size = UINT64_MAX, .file_size = UINT64_MAX}), "cut short");
  expect_in(refusal({.address = 0x1000, .memory_size = UINT64_MAX}), "beyond all addresses");
  expect_in(refusal({.memory_size = UINT64_MAX, .file_size = std::uint64_t{1} << 63}), "cut short");
}

/// A TinyElf with some fields of its program headers as a test wants them.
class Patched {
public:
  /// Offsets in a program header: p_type, p_offset, p_paddr, p_memsz.
  enum Field : std::size_t { kType = 0, kOffset = 8, kAddress = 24, kMemorySize = 40 };
  Patched &put(std::size_t header, Field field, std::uint64_t value) {
    const std::size_t at = TinyElf::kHeaderSize + header * TinyElf::kProgramHeaderSize + field;
    std::memcpy(bytes_.data() + at, &value, field == kType ? 4 : 8);
    return *this;
  }
  [[nodiscard]] std::string refusal() const {
    const auto image = GuestImage::parse("g.elf", bytes_);
    return image ? "loaded" : image.error().message;
  }

private:
  std::vector<std::byte> bytes_ = TinyElf{}.bytes();
};

TEST(GuestImage, RefusesProgramHeadersThatAreNotSound) {
  constexpr std::size_t kLoad = 0;
  constexpr std::size_t kNote = 1;
  EXPECT_EQ(Patched().refusal(), "loaded");
  expect_in(Patched().put(kLoad, Patched::kMemorySize, 0).refusal(), "more bytes in the file than in memory");
  expect_in(Patched().put(kNote, Patched::kOffset, 0x1000).refusal(), "cut short: segment 1");
  expect_in(
      Patched().put(kNote, Patched::kType, 1).put(kNote, Patched::kAddress, TinyElf::kLoadAddress).refusal(),
      "two segments overlap at 0x100000");
}

TEST(GuestImage, LeavesOutASegmentOfNoSize) {
  // Without bytes it takes no room, wherever it stands; and no entry is in it.
  const auto image = GuestImage::parse("g.elf", TinyElf{.code = ""}.bytes());
  ASSERT_FALSE(image);
  expect_in(image.error().message, "outside every segment");
}

TEST(GuestImage, RefusesWhatIsNoElf) {
  for (const std::string text : {"", "\x7f",
                                 "\x7f"
                                 "ELF",
                                 "#!/bin/sh\nexit 0\n"}) {
    std::vector<std::byte> bytes;
    for (const char c : text)
      bytes.push_back(static_cast<std::byte>(c));
    EXPECT_FALSE(GuestImage::parse("g.elf", bytes)) << text;
  }
}

TEST(GuestImage, RefusesEveryTruncation) {
  const std::vector<std::byte> whole = TinyElf{.code = std::string(64, '\xf4')}.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(GuestImage::parse("g.elf", part)) << "at " << size;
  }
}

TEST(GuestImage, RefusesASegmentOutsideMemoryOrInAReservedRange) {
  const auto memory = GuestMemory::create(16);
  const auto far = GuestImage::parse("g.elf", TinyElf{.memory_size = 16u << 20}.bytes());
  ASSERT_TRUE(far);
  const auto outside = far->load(*memory, {});
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().status, ExitStatus::kUsage);
  expect_in(outside.error().message, "outside the guest's memory");
  const auto image = GuestImage::parse("g.elf", TinyElf{.memory_size = 0x1000}.bytes());
  const GuestRange reserved[] = {{0x100fff, 0x200000}};
  const auto overlapping = image->load(*memory, reserved);
  ASSERT_FALSE(overlapping);
  expect_in(overlapping.error().message, "overlaps");
  const GuestRange behind[] = {{0x101000, 0x200000}};
  EXPECT_TRUE(image->load(*memory, behind));
}

TEST(GuestImage, RefusesFilesThatCannotBeRead) {
  for (const char *path : {"/nonexistent/guest.elf", "/", "/dev/null"}) {
    const auto image = GuestImage::open(path);
    ASSERT_FALSE(image) << path;
    EXPECT_EQ(image.error().status, ExitStatus::kUsage);
    expect_in(image.error().message, path);
  }
}

// Whatever a file holds, parsing, loading and symbolizing it ends without a crash; run under
// the sanitizers this is what proves that no size is trusted.
TEST(GuestImage, SurvivesRandomDamage) {
  const auto memory = GuestMemory::create(16);
  const std::vector<std::byte> whole = TinyElf{.code = std::string(32, '\xf4'), .entry_size = 8}.bytes();
  std::mt19937_64 random(2); // a fixed seed: a failure can be repeated
  unsigned refused = 0;
  constexpr unsigned kRounds = 20'000;
  for (unsigned round = 0; round < kRounds; ++round) {
    std::vector<std::byte> bytes = whole;
    for (std::uint64_t flips = 1 + random() % 6; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 3 == 0 ? 0xff : random());
    const auto image = GuestImage::parse("g.elf", bytes);
    if (!image || !image->load(*memory, {}))
      ++refused;
    EXPECT_FALSE(Symbolizer(bytes).describe(TinyElf::kLoadAddress).empty());
  }
  EXPECT_GT(refused, kRounds / 10);
  EXPECT_LT(refused, kRounds);
}

} // namespace
} // namespace reveille::vmm
