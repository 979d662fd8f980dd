#include "vmm/machine/symbols.hpp"

#include "vmm/machine/read_image.hpp"

#include <gtest/gtest.h>

#include <elf.h>

#include <cstring>

/// Something with a name that this very program's ELF file has, and a line in this file.
namespace reveille::sample {
template <class T> struct Waiter {
  [[gnu::noinline, gnu::used]] static int wait(T value) { return static_cast<int>(value) + 1; }
};
template struct Waiter<long>;
} // namespace reveille::sample

namespace reveille::vmm {
namespace {

const Symbolizer &own() {
  static const Symbolizer symbols(read_image("/proc/self/exe").value());
  return symbols;
}

TEST(Symbolizer, NamesAreReadable) {
  EXPECT_EQ(readable_name("start32"), "start32");
  EXPECT_EQ(readable_name("_ZN8reveille4core6ApSideINS_5guest3EnvEE4waitEm"), "core::ApSide::wait");
  EXPECT_EQ(readable_name("_ZN8reveille5guest12_GLOBAL__N_14haltEv"), "guest::halt");
  EXPECT_EQ(readable_name("_ZN8reveille4core3runINS_5guest3EnvEEEvRT_"), "core::run");
  EXPECT_EQ(readable_name("_Zbroken"), "_Zbroken");
}

TEST(Symbolizer, FindsASymbolAndDescribesItWithItsLine) {
  const auto address = own().find("sample::Waiter::wait");
  ASSERT_TRUE(address);
  const std::string text = own().describe(*address);
  EXPECT_EQ(text.rfind("sample::Waiter::wait (tests/unit/machine/symbols_test.cpp:", 0), 0u) << text;
  EXPECT_EQ(own().describe(*address + 1).rfind("sample::Waiter::wait+0x1 (", 0), 0u);
  EXPECT_EQ(own().find("_ZN8reveille6sample6WaiterIlE4waitEl"), address);
}

TEST(Symbolizer, KnowsWhatItDoesNotKnow) {
  EXPECT_FALSE(own().find("no_such_symbol"));
  EXPECT_EQ(own().describe(0), "0x0");
  EXPECT_EQ(own().describe(UINT64_MAX), "0xffffffffffffffff");
}

TEST(Symbolizer, WithoutSectionsItStillAnswers) {
  auto bytes = read_image("/proc/self/exe").value();
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.e_shoff = 0;
  header.e_shnum = 0;
  std::memcpy(bytes.data(), &header, sizeof header);
  const Symbolizer stripped(bytes);
  EXPECT_EQ(stripped.describe(0x1000), "0x1000");
  EXPECT_FALSE(stripped.find("main"));
  EXPECT_EQ(Symbolizer({}).describe(16), "0x10");
}

} // namespace
} // namespace reveille::vmm
