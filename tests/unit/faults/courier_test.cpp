// What becomes of INITs and SIPIs on their way.
#include "vmm/faults/courier.hpp"
#include "vmm/scenario/places.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

using abi::State;
using abi::Word;

constexpr std::uint8_t kVector = 0x11;

FaultSpec fault(const std::string &at, Action action, double duration_ms = 0) {
  FaultSpec spec;
  spec.cpus = {3};
  spec.at = parse_place(at).value().place;
  spec.action = action;
  spec.duration_ms = duration_ms;
  return spec;
}

/// What comes of a kick of CPU 3: "init>3@0 sipi:11>3@0 ...", the time in ms.
class Kicked {
public:
  explicit Kicked(std::vector<FaultSpec> faults) {
    scenario_.machine.vcpus = 8;
    scenario_.faults = std::move(faults);
  }

  std::string kick(std::uint32_t attempt = 1) {
    const std::uint64_t word = Word{attempt, State::kKicked, 0}.bits();
    std::string text = send(true, word, attempt);
    text += send(false, word, attempt);
    text += send(false, word, attempt);
    return text;
  }
  std::string stop(std::uint32_t attempt = 1) {
    return send(true, Word{attempt, State::kAbandoned, 0}.bits(), attempt);
  }
  std::uint32_t fired() { return engine().accounts().at(0).fired; }

private:
  FaultEngine &engine() {
    if (!engine_)
      engine_.emplace(scenario_, Roster(scenario_));
    return *engine_;
  }
  std::string send(bool is_init, std::uint64_t word, std::uint32_t attempt) {
    if (!courier_)
      courier_.emplace(engine(), 8);
    std::string text;
    const Parcel sent{.to = 3, .is_init = is_init, .vector = is_init ? std::uint8_t{0} : kVector};
    for (const Parcel &parcel : courier_->route(sent, 0, {word, {attempt, 1}}, 0)) {
      text += parcel.is_init ? "init" : "sipi:" + std::to_string(parcel.vector);
      text += ">" + std::to_string(parcel.to);
      if (parcel.after_ms > 0)
        text += "+" + std::to_string(static_cast<int>(parcel.after_ms));
      text += " ";
    }
    return text;
  }

  Scenario scenario_;
  std::optional<FaultEngine> engine_;
  std::optional<Courier> courier_;
};

TEST(Courier, DeliversWhatNoFaultIsAbout) {
  EXPECT_EQ(Kicked({}).kick(), "init>3 sipi:17>3 sipi:17>3 ");
  EXPECT_EQ(Kicked({}).stop(), "init>3 ");
}

TEST(Courier, TellsTheFourDeliveriesApart) {
  EXPECT_EQ(Kicked({fault("init", Action::kDrop)}).kick(), "sipi:17>3 sipi:17>3 ");
  EXPECT_EQ(Kicked({fault("sipi", Action::kDrop)}).kick(), "init>3 sipi:17>3 ");
  EXPECT_EQ(Kicked({fault("sipi2", Action::kDrop)}).kick(), "init>3 sipi:17>3 ");
  Kicked stopped({fault("stop", Action::kDrop)});
  EXPECT_EQ(stopped.kick(), "init>3 sipi:17>3 sipi:17>3 ");
  EXPECT_EQ(stopped.stop(), "");
  EXPECT_EQ(stopped.fired(), 1u);
}

TEST(Courier, ChangesWhoIsSentWhatAndWhen) {
  FaultSpec elsewhere = fault("init", Action::kRedirect);
  elsewhere.to = 5;
  EXPECT_EQ(Kicked({elsewhere}).kick(), "init>5 sipi:17>3 sipi:17>3 ");
  FaultSpec wrong = fault("sipi", Action::kWrongVector);
  wrong.vector = 9;
  EXPECT_EQ(Kicked({wrong}).kick(), "init>3 sipi:9>3 sipi:17>3 ");
  EXPECT_EQ(Kicked({fault("init", Action::kDuplicate)}).kick(), "init>3 init>3 sipi:17>3 sipi:17>3 ");
  EXPECT_EQ(Kicked({fault("sipi2", Action::kDelay, 7)}).kick(), "init>3 sipi:17>3 sipi:17>3+7 ");
  EXPECT_EQ(Kicked({fault("init", Action::kLateInit, 7)}).kick(), "init>3 init>3+7 sipi:17>3 sipi:17>3 ");
}

TEST(Courier, KeepsAnInitUntilBehindTheFirstSipi) {
  Kicked kicked({fault("init", Action::kEarlySipi)});
  EXPECT_EQ(kicked.kick(), "sipi:17>3 init>3 sipi:17>3 ");
  EXPECT_EQ(kicked.kick(2), "init>3 sipi:17>3 sipi:17>3 ");
}

TEST(Courier, DoesOneThingAfterTheOther) {
  EXPECT_EQ(Kicked({fault("init", Action::kDuplicate), fault("init", Action::kDelay, 4)}).kick(),
            "init>3+4 init>3+4 sipi:17>3 sipi:17>3 ");
  EXPECT_EQ(Kicked({fault("init", Action::kDrop), fault("init", Action::kLateInit, 4)}).kick(),
            "sipi:17>3 sipi:17>3 ");
}

TEST(Courier, StrikesInTheRightAttemptAndAsOftenAsAsked) {
  FaultSpec second = fault("sipi", Action::kDrop);
  second.attempt = 2;
  Kicked kicked({second});
  EXPECT_EQ(kicked.kick(), "init>3 sipi:17>3 sipi:17>3 ");
  EXPECT_EQ(kicked.fired(), 0u);
  EXPECT_EQ(kicked.kick(2), "init>3 sipi:17>3 ");
  EXPECT_EQ(kicked.fired(), 1u);
  EXPECT_EQ(kicked.kick(2), "init>3 sipi:17>3 sipi:17>3 ");
}

} // namespace
} // namespace reveille::vmm
