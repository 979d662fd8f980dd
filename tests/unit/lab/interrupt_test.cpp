// Ctrl-C, as a guard remembers it.
#include "vmm/lab/interrupt.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace reveille::vmm {
namespace {

TEST(Interrupt, IsRememberedBySignal) {
  for (const int number : {SIGINT, SIGTERM}) {
    const InterruptGuard guard;
    EXPECT_FALSE(InterruptGuard::interrupted()) << "of an earlier one";
    std::raise(number);
    EXPECT_TRUE(InterruptGuard::interrupted());
  }
}

TEST(Interrupt, ThatCameBeforeAGuardWithinAnotherIsNotForgotten) {
  const InterruptGuard from_the_start;
  std::raise(SIGINT);
  {
    const InterruptGuard of_the_run;
    EXPECT_TRUE(InterruptGuard::interrupted());
  }
  EXPECT_TRUE(InterruptGuard::interrupted());
}

TEST(InterruptDeathTest, TheSecondOneEndsTheProcess) {
  const auto twice = [] {
    const InterruptGuard from_the_start;
    { const InterruptGuard of_the_run; }
    std::raise(SIGINT);
    std::raise(SIGTERM);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(130), "");
}

} // namespace
} // namespace reveille::vmm
