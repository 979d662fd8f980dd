// Some LAPICs on a bus, with a clock that stands still until it is told otherwise.
#pragma once

#include "vmm/lapic/lapic.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace reveille::vmm::lapic::test {

class BenchClock final : public Clock {
public:
  static constexpr std::uint32_t kTscKhz = 2'000'000; ///< two ticks a nanosecond

  [[nodiscard]] std::uint64_t now_ns() const override { return ns; }
  [[nodiscard]] std::uint64_t tsc() const override { return ns * 2; }
  [[nodiscard]] std::uint32_t tsc_khz() const override { return kTscKhz; }

  std::uint64_t ns = 1'000'000;
};

/// A CPU with its LAPIC, without a thread: what is sent to it lies in its inbox.
class Cpu final : public Receiver {
public:
  Cpu(const Lapic::Identity &identity, Bus &bus, const Clock &clock) : lapic(identity, bus, clock) {}
  void receive(const Message &message) override { lapic.inbox().post(message); }

  static std::uint64_t address(Register reg) {
    return ApicBase::kDefaultAddress + static_cast<std::uint32_t>(reg);
  }
  static std::uint32_t msr(Register reg) { return kFirstMsr + (static_cast<std::uint32_t>(reg) >> 4); }

  [[nodiscard]] bool is_x2apic() const { return lapic.mode() == Mode::kX2apic; }
  /// In the way that its mode has. An MSR access that is a #GP fails the test.
  [[nodiscard]] std::uint64_t get(Register reg) {
    if (!is_x2apic())
      return lapic.read_mmio(address(reg), 4);
    const auto value = lapic.read_msr(msr(reg));
    EXPECT_TRUE(value) << "#GP";
    return value.value_or(0);
  }
  void set(Register reg, std::uint64_t value) {
    if (is_x2apic())
      EXPECT_TRUE(lapic.write_msr(msr(reg), value)) << "#GP";
    else
      lapic.write_mmio(address(reg), 4, value);
  }
  void send(std::uint32_t to, std::uint32_t low) {
    if (is_x2apic()) {
      set(Register::kIcrLow, std::uint64_t{to} << 32 | low);
      return;
    }
    set(Register::kIcrHigh, to << 24);
    set(Register::kIcrLow, low);
  }
  /// Bit `vector` of one of the three sets, as the guest reads it.
  [[nodiscard]] bool has(Register first, std::uint8_t vector) {
    const auto reg = static_cast<Register>(static_cast<std::uint32_t>(first) + vector / 32u * 0x10u);
    return (get(reg) >> (vector % 32) & 1) != 0;
  }
  void enable() { set(Register::kSpuriousVector, Spurious::kEnable | 0xff); }
  void go_x2apic() { EXPECT_TRUE(lapic.write_base(lapic.base() | ApicBase::kX2apic)); }
  /// Takes an interrupt as a CPU with its interrupts on would; 0: there is none.
  std::uint8_t serve() {
    lapic.advance();
    static_cast<void>(lapic.take());
    const auto vector = lapic.deliverable();
    if (vector)
      lapic.acknowledge(*vector);
    return vector.value_or(0);
  }

  Lapic lapic;
};

/// LAPICs with IDs from `first_id` on, the first the BSP's, all enabled by software.
class Bench {
public:
  explicit Bench(std::size_t count, bool is_x2apic = false, std::uint32_t first_id = 0) : bus(count) {
    for (std::size_t i = 0; i < count; ++i) {
      const Lapic::Identity identity{i, first_id + static_cast<std::uint32_t>(i), i == 0, true};
      cpus.push_back(std::make_unique<Cpu>(identity, bus, clock));
      bus.attach(i, *cpus.back());
      if (is_x2apic)
        cpus.back()->go_x2apic();
      cpus.back()->enable();
    }
  }
  Cpu &operator[](std::size_t index) { return *cpus.at(index); }

  /// Which of them have mail, by index.
  std::vector<std::size_t> reached() {
    std::vector<std::size_t> list;
    for (std::size_t i = 0; i < cpus.size(); ++i)
      if (cpus[i]->lapic.inbox().any())
        list.push_back(i);
    for (const auto &cpu : cpus)
      static_cast<void>(cpu->lapic.take());
    return list;
  }

  BenchClock clock;
  Bus bus;
  std::vector<std::unique_ptr<Cpu>> cpus;
};

using Indices = std::vector<std::size_t>;

// The ICR's lower half.
inline constexpr std::uint32_t kFixed = 0;
inline constexpr std::uint32_t kLowest = 1u << 8;
inline constexpr std::uint32_t kSmi = 2u << 8;
inline constexpr std::uint32_t kNmi = 4u << 8;
inline constexpr std::uint32_t kInit = 5u << 8;
inline constexpr std::uint32_t kStartup = 6u << 8;
inline constexpr std::uint32_t kLogical = 1u << 11;
inline constexpr std::uint32_t kAssert = 1u << 14;
inline constexpr std::uint32_t kLevel = 1u << 15;
inline constexpr std::uint32_t kToSelf = 1u << 18;
inline constexpr std::uint32_t kToAll = 2u << 18;
inline constexpr std::uint32_t kToOthers = 3u << 18;

} // namespace reveille::vmm::lapic::test
