// The simulated machine: virtual time, interrupts, and what holding a CPU does to them.
#include "tests/unit/sim/toy.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace reveille::vmm::sim {
namespace {

TEST(Queue, GivesOutByTimeAndThenAsAdded) {
  Queue queue;
  for (const auto &[time, cpu] : {std::pair{30u, 1u}, {10u, 2u}, {20u, 3u}, {10u, 4u}, {10u, 5u}, {20u, 6u}})
    queue.add({time, 0, cpu, 0, DueType::kRun});
  std::string order;
  while (!queue.empty()) {
    const Ns next = queue.next();
    const Due due = queue.take();
    EXPECT_EQ(due.time, next);
    order += std::to_string(due.cpu);
  }
  EXPECT_EQ(order, "245361");
  EXPECT_EQ(queue.next(), kNever);
}

TEST(Machine, TimePassesOnlyWhereItIsSpent) {
  Toy toy(1);
  std::vector<Ns> times;
  toy.run([&] {
    times.push_back(toy.machine.now());
    toy.machine.spend(0, 5);
    times.push_back(toy.machine.now());
    times.push_back(toy.machine.now());
    toy.machine.spend(0, 7);
    times.push_back(toy.machine.now());
  });
  EXPECT_EQ(times, (std::vector<Ns>{0, 5, 5, 12}));
  EXPECT_EQ(toy.machine.power(0), Power::kHalted); // it has come back
}

TEST(Machine, NoCodeRunsPastTheLimit) {
  Toy toy(1);
  toy.software.programs[0] = [&] {
    for (;;)
      toy.machine.spend(0, 10);
  };
  toy.machine.power_on();
  toy.machine.step(95);
  EXPECT_EQ(toy.machine.now(), 90u);
  EXPECT_EQ(toy.machine.next(), 100u);
}

/// INIT, SIPI, SIPI to CPU 1, which then runs `program`.
void start(Toy &toy, std::function<void()> program, unsigned page = 3) {
  toy.software.programs[1] = std::move(program);
  toy.machine.init(1);
  toy.machine.sipi(1, page, 100);
  toy.machine.sipi(1, page, 100);
}

TEST(Machine, CpusTakeTurnsByTheirTimes) {
  Toy toy(2);
  std::string order;
  toy.run([&] {
    start(toy, [&] {
      for (int i = 0; i < 3; ++i) {
        order += 'b';
        toy.machine.spend(1, 20);
      }
    });
    toy.machine.spend(0, 90);
    for (int i = 0; i < 3; ++i) {
      order += 'a'; // at 90, 110, 130; the other one at 100, 120, 140
      toy.machine.spend(0, 20);
    }
  });
  EXPECT_EQ(order, "ababab");
}

TEST(Machine, SecondSipiIsIgnored) {
  Toy toy(2);
  toy.run([&] { start(toy, [] {}); });
  EXPECT_EQ(toy.software.begun, (std::vector<std::pair<CpuIndex, unsigned>>{{1, 3}}));
}

TEST(Machine, SipiIsIgnoredByACpuThatRuns) {
  Toy toy(2);
  unsigned runs = 0;
  toy.run([&] {
    start(toy, [&] {
      ++runs;
      toy.machine.spend(1, 1000);
    });
    toy.machine.spend(0, 500);
    toy.machine.sipi(1, 4, 100);
  });
  EXPECT_EQ(runs, 1u);
  EXPECT_EQ(toy.software.begun.size(), 1u);
}

TEST(Machine, InitTakesACpuOutOfWhateverItDoes) {
  Toy toy(2);
  std::string done;
  toy.run([&] {
    start(toy, [&] {
      done += "begins ";
      toy.machine.spend(1, 1000);
      done += "ends ";
    });
    toy.machine.spend(0, 500);
    toy.machine.init(1); // while it works
    EXPECT_EQ(toy.machine.power(1), Power::kWaitsForSipi);
    toy.machine.spend(0, 5000);
    toy.machine.sipi(1, 4, 100);
    toy.machine.spend(0, 5000);
    toy.machine.init(1); // when it has halted for ever
    toy.machine.sipi(1, 5, 100);
    toy.machine.init(1); // on its way from the SIPI
    toy.machine.spend(0, 5000);
    toy.machine.sipi(1, 6, 100);
  });
  EXPECT_EQ(done, "begins begins ends begins ends ");
  EXPECT_EQ(toy.software.begun, (std::vector<std::pair<CpuIndex, unsigned>>{{1, 3}, {1, 4}, {1, 6}}));
  EXPECT_EQ(toy.host.resets.size(), 4u);
  EXPECT_EQ(toy.machine.stacks().in_use(), 0u);
}

TEST(Machine, ACpuThatIsNotLetInHaltsWithoutAStack) {
  Toy toy(2);
  toy.software.comes_of_it = Software::Begun::kHalts;
  toy.run([&] { start(toy, [] { FAIL(); }); });
  EXPECT_EQ(toy.machine.power(1), Power::kHalted);
  EXPECT_EQ(toy.machine.stacks().most_in_use(), 1u);
}

TEST(Machine, AWakeEndsAHaltAndATimerDoes) {
  Toy toy(2);
  std::vector<Ns> woken;
  toy.run([&] {
    start(toy, [&] {
      toy.machine.halt(1, kNever);
      woken.push_back(toy.machine.now());
      toy.machine.halt(1, 5000);
      woken.push_back(toy.machine.now());
      toy.machine.halt(1, kNever);
      woken.push_back(toy.machine.now());
    });
    toy.machine.spend(0, 50);
    toy.machine.wake(1, 10); // not halting yet: it will look by itself
    toy.machine.spend(0, 950);
    toy.machine.wake(1, 10);
    toy.machine.wake(1, 10); // told already
    EXPECT_FALSE(toy.machine.is_idle(1));
  });
  EXPECT_EQ(woken, (std::vector<Ns>{1010, 5000}));
  EXPECT_TRUE(toy.machine.is_idle(1));
}

TEST(Machine, AnEarlierTimerServesForALaterDeadline) {
  Toy toy(1);
  std::vector<Ns> woken;
  toy.run([&] {
    toy.machine.halt(0, 100);
    woken.push_back(toy.machine.now());
    toy.machine.halt(0, 300);
    woken.push_back(toy.machine.now());
    toy.machine.halt(0, 200); // in the past: at once
    woken.push_back(toy.machine.now());
  });
  EXPECT_EQ(woken, (std::vector<Ns>{100, 300, 300}));
}

TEST(Machine, AnIdleCpuNeedsNoStackAndRunsAnew) {
  Toy toy(2);
  unsigned runs = 0;
  toy.run([&] {
    start(toy, [&] {
      ++runs;
      toy.machine.idle_away(1);
      FAIL();
    });
    toy.machine.spend(0, 1000);
    EXPECT_EQ(toy.machine.stacks().in_use(), 1u);
    toy.machine.wake(1, 10);
    toy.machine.send_work(1, 20);
  });
  EXPECT_EQ(runs, 3u);
  EXPECT_EQ(toy.software.work[1], 1u);
}

TEST(Machine, AFrozenCpuKeepsAllForLater) {
  Toy toy(2);
  std::vector<Ns> told;
  toy.host.due[1] = [&] { toy.machine.release(1); };
  toy.run([&] {
    start(toy, [&] {
      toy.machine.spend(1, 400); // until 500
      told.push_back(toy.machine.now());
      toy.machine.halt(1, kNever);
      told.push_back(toy.machine.now());
    });
    toy.machine.spend(0, 300);
    toy.machine.hold(1, HoldKind::kFrozen);
    toy.machine.call_at(1, 2000);
    toy.machine.spend(0, 2000); // 2300
    toy.machine.hold(1, HoldKind::kFrozen);
    toy.machine.call_at(1, 3000);
    toy.machine.wake(1, 10);
    toy.machine.send_work(1, 10);
    toy.machine.spend(0, 500);
    EXPECT_EQ(toy.software.work[1], 0u);
  });
  EXPECT_EQ(told, (std::vector<Ns>{2000, 3000}));
  EXPECT_EQ(toy.software.work[1], 1u);
}

TEST(Machine, AFrozenCpuTakesInitAndSipiWhenItThaws) {
  Toy toy(2);
  toy.host.due[1] = [&] { toy.machine.release(1); };
  std::string done;
  toy.run([&] {
    start(toy, [&] {
      done += "begins ";
      toy.machine.spend(1, 1000);
      done += "ends ";
    });
    toy.machine.spend(0, 500);
    toy.machine.hold(1, HoldKind::kFrozen);
    toy.machine.call_at(1, 2000);
    toy.machine.sipi(1, 9, 100); // older than the INIT: not to be taken
    toy.machine.init(1);
    toy.machine.sipi(1, 4, 100);
    toy.machine.sipi(1, 4, 100);
    toy.machine.spend(0, 500);
    EXPECT_EQ(toy.machine.power(1), Power::kRuns);
    EXPECT_TRUE(toy.host.resets.size() == 1u); // that of the start
  });
  EXPECT_EQ(done, "begins begins ends ");
  EXPECT_EQ(toy.software.begun, (std::vector<std::pair<CpuIndex, unsigned>>{{1, 3}, {1, 4}}));
}

TEST(Machine, ASipiThatComesBeforeTheInitIsLost) {
  Toy toy(2);
  toy.host.due[1] = [&] { toy.machine.release(1); };
  toy.run([&] {
    start(toy, [&] { toy.machine.spend(1, 1000); });
    toy.machine.spend(0, 500);
    toy.machine.hold(1, HoldKind::kFrozen);
    toy.machine.call_at(1, 2000);
    toy.machine.sipi(1, 4, 100);
    toy.machine.init(1);
  });
  EXPECT_EQ(toy.machine.power(1), Power::kWaitsForSipi);
}

TEST(Machine, ACpuThatIsHeldAsIfItSpunTakesAnInitAtOnce) {
  Toy toy(2);
  toy.run([&] {
    start(toy, [&] { toy.machine.spend(1, 1000); });
    toy.machine.spend(0, 500);
    toy.machine.hold(1, HoldKind::kSpins);
    toy.machine.init(1);
    EXPECT_EQ(toy.machine.held(1), HoldKind::kNone);
    EXPECT_EQ(toy.machine.power(1), Power::kWaitsForSipi);
    toy.machine.sipi(1, 4, 100);
  });
  EXPECT_EQ(toy.software.begun.size(), 2u);
}

TEST(Machine, AShutDownCpuWaitsForInitAndSipi) {
  Toy toy(2);
  toy.host.due[1] = [&] { toy.machine.shut_down(1); };
  toy.run([&] {
    start(toy, [&] { toy.machine.spend(1, 1000); });
    toy.machine.call_at(1, 500);
    toy.machine.spend(0, 2000);
    EXPECT_EQ(toy.machine.power(1), Power::kShutdown);
    toy.machine.sipi(1, 4, 100);
    toy.machine.spend(0, 2000);
    EXPECT_EQ(toy.machine.power(1), Power::kShutdown);
    toy.machine.init(1);
    toy.machine.sipi(1, 4, 100);
  });
  EXPECT_EQ(toy.software.begun.size(), 2u);
}

TEST(Machine, TheHostLetsACpuGoOnFromAPlace) {
  Toy toy(1);
  Ns went_on = 0;
  toy.host.due[0] = [&] {
    EXPECT_EQ(toy.host.placed.size(), 1u);
    toy.machine.release(0);
  };
  toy.machine.call_at(0, 700);
  toy.run([&] {
    toy.machine.call_host(0, abi::Place::kZero, 0);
    went_on = toy.machine.now();
  });
  EXPECT_EQ(went_on, 700u);
}

TEST(Machine, APanicEndsTheCpu) {
  Toy toy(1);
  toy.run([&] { toy.machine.panic(0, "of a broken invariant"); });
  EXPECT_EQ(toy.host.panics[0], "of a broken invariant");
  EXPECT_EQ(toy.machine.power(0), Power::kHalted);
  EXPECT_EQ(toy.machine.stacks().in_use(), 0u);
}

TEST(Machine, AnOverflowOfAStackIsFoundOut) {
  Toy toy(1);
  const auto too_deep = [&] {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::uintptr_t top = (here + 4095) / 4096 * 4096; // not much of it is used yet
    *reinterpret_cast<volatile char *>(top - Machine::kStackBytes) = 1;
    toy.machine.halt(0, 10);
    FAIL();
  };
  EXPECT_THROW(toy.run(too_deep), std::runtime_error);
}

} // namespace
} // namespace reveille::vmm::sim
