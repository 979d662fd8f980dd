#include "vmm/report/disassembly.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kAt = 0x101230;

/// Code whose instruction at `here` is the one that the CPU is at.
CodeBytes code(std::vector<std::uint8_t> bytes, std::size_t here, CodeWidth width = CodeWidth::k64) {
  return {kAt, kAt + here, width, std::move(bytes)};
}

std::string told(const std::vector<CodeLine> &lines) {
  std::string text;
  for (const CodeLine &line : lines)
    text += (line.here ? "> " : "  ") + line.bytes + " | " + line.text + '\n';
  return text;
}

TEST(Disassembly, MarksTheInstructionThatTheCpuIsAt) {
  // 1: pause; mov (%rdi),%rax; test %rax,%rax; je 1b; hlt; ret
  const std::vector<std::uint8_t> loop = {0xf3, 0x90, 0x48, 0x8b, 0x07, 0x48,
                                          0x85, 0xc0, 0x74, 0xf6, 0xf4, 0xc3};
  EXPECT_EQ(told(disassemble(code(loop, 5), 2, 3)), "  f3 90 | pause\n"
                                                    "  48 8b 07 | movq (%rdi), %rax\n"
                                                    "> 48 85 c0 | testq %rax, %rax\n"
                                                    "  74 f6 | je 0x101230\n"
                                                    "  f4 | hlt\n"
                                                    "  c3 | retq\n");
  EXPECT_EQ(disassemble(code(loop, 5), 2, 3)[2].address, kAt + 5);
  EXPECT_EQ(told(disassemble(code(loop, 5), 0, 0)), "> 48 85 c0 | testq %rax, %rax\n");
}

TEST(Disassembly, GoesByTheMode) {
  const std::vector<std::uint8_t> bytes = {0xb8, 0x34, 0x12, 0x66, 0x90, 0x48, 0x40};
  EXPECT_EQ(disassemble(code(bytes, 0, CodeWidth::k16), 0, 0)[0].text, "movw $0x1234, %ax");
  EXPECT_EQ(disassemble(code(bytes, 0, CodeWidth::k32), 0, 0)[0].text, "movl $0x90661234, %eax");
  EXPECT_EQ(disassemble(code({0x48, 0x90}, 0, CodeWidth::k32), 0, 0)[0].text, "decl %eax");
  EXPECT_NE(disassemble(code({0x48, 0x90}, 0, CodeWidth::k64), 0, 0)[0].text, "decl %eax");
}

TEST(Disassembly, ShowsWhatIsNoInstructionAsBytes) {
  const std::vector<std::uint8_t> bytes = {0x06, 0x0e, 0xf4, 0xcc}; // 06 and 0e are none in 64-bit mode
  EXPECT_EQ(told(disassemble(code(bytes, 1), 3, 2)), "> 0e | .byte 0x0e\n"
                                                     "  f4 | hlt\n"
                                                     "  cc | int3\n")
      << "nothing in front comes out there";
  EXPECT_EQ(told(disassemble(code({0x90, 0x48}, 0), 0, 3)), "> 90 | nop\n") << "the end may be cut short";
}

TEST(Disassembly, HasNothingWhereTheInstructionIsNotThere) {
  EXPECT_TRUE(disassemble({}, 3, 3).empty());
  EXPECT_TRUE(disassemble(code({0x90}, 1), 3, 3).empty());
  EXPECT_TRUE(disassemble({kAt, kAt - 1, CodeWidth::k64, {0x90}}, 3, 3).empty());
}

TEST(Disassembly, TakesAnyBytes) {
  std::mt19937 random(5); // NOLINT(cert-msc51-cpp): the same bytes each time
  for (int i = 0; i < 3000; ++i) {
    CodeBytes any;
    any.begin = (std::uint64_t{random()} << 32) | random();
    any.bytes.resize(1 + random() % CodeBytes::kMost);
    for (std::uint8_t &byte : any.bytes)
      byte = static_cast<std::uint8_t>(random());
    any.rip = any.begin + random() % any.bytes.size();
    any.width = std::array{CodeWidth::k16, CodeWidth::k32, CodeWidth::k64}[random() % 3];
    const std::vector<CodeLine> lines = disassemble(any, 3, 3);
    ASSERT_LE(lines.size(), 7U);
    ASSERT_EQ(std::ranges::count(lines, true, &CodeLine::here), 1);
    for (std::size_t line = 0; line < lines.size(); ++line) { // one behind the other, without a gap
      ASSERT_EQ(lines[line].here, lines[line].address == any.rip);
      if (line != 0) {
        ASSERT_EQ(lines[line].address, lines[line - 1].address + (lines[line - 1].bytes.size() + 1) / 3);
      }
    }
  }
}

} // namespace
} // namespace reveille::vmm
