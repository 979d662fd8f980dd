// The TSC rendezvous: it ends, however the two sides' bounds race with it, and a skew is made
// of the stamp of its own round.
#include "relacy_main.hpp"
#include "relacy_run.hpp"

namespace reveille::model {
namespace {

/// Which side's time may be up, at a moment of Relacy's choice.
enum class Impatient { kNobody, kAp, kCp };

template <class Base> class Timed : public Base {
public:
  template <class... Args>
  explicit Timed(bool impatient, Args &&...args) : Base(std::forward<Args>(args)...), impatient_(impatient) {}
  std::uint64_t now() { return up_ ? kLate : Base::now(); }
  void relax() {
    if (impatient_ && !up_ && rl::rand(2) == 1)
      up_ = true;
    else
      spin();
  }

protected:
  static constexpr std::uint64_t kLate = 1'000'000;
  [[nodiscard]] bool may_leave() {
    if (impatient_ && !up_ && rl::rand(2) == 1)
      up_ = true;
    return up_;
  }

private:
  bool impatient_;
  bool up_ = false;
};

class TimedAp : public Timed<ApEnv> {
public:
  TimedAp(bool impatient, Machine &m, Word claimed) : Timed(impatient, m, kAp, claimed) {}
  /// Each look at the clock is another time: the stamps differ.
  std::uint64_t now() { return Timed::now() + ++looks_; }
  template <class Until> bool wait_for(Until &&until, std::uint64_t) {
    while (!until()) {
      if (may_leave())
        return false;
      m_.bell[1].halt();
    }
    return true;
  }

private:
  std::uint64_t looks_ = 0;
};

template <Impatient kWho, unsigned kRounds> struct Meeting : rl::test_suite<Meeting<kWho, kRounds>, 2> {
  Machine machine{Plan{.races_always = true}};
  core::Skew skew;
  bool ap_out = false, cp_out = false;

  Meeting() {
    machine.settings.tsc_rounds = kRounds;
    machine.settings.tsc_wait = machine.settings.tsc_look = 1000;
    machine.cpu(kAp).token_of_page[1].set(0);
    machine.areas[0].prepared.set(1);
  }
  void thread(unsigned index) {
    if (index == 0) {
      Timed<CpEnv> env(kWho == Impatient::kCp, machine);
      while (!core::wants_tsc(env, kAp, 1)) {
        if (ap_out)
          return; // it gave up before the CP came
        machine.bell[0].halt();
      }
      skew = core::serve_tsc(env, kAp, 1, machine.settings);
      cp_out = true;
    } else {
      TimedAp env(kWho == Impatient::kAp, machine, Word{1, State::kSyncing, 0});
      core::meet_for_tsc(env, 1, machine.settings, [&] { machine.bell[0].ring(); });
      ap_out = true;
      machine.bell[0].ring(); // as its arrival at synced does
    }
  }
  void after() {
    RL_ASSERT(ap_out);
    RL_ASSERT(kWho != Impatient::kNobody || cp_out);
    if (kWho == Impatient::kNobody && kRounds > 1)
      RL_ASSERT(skew.resolution != 0);
    if (kWho != Impatient::kCp && skew.resolution != 0) { // the last round's, whose stamp is still there
      const auto stamp = static_cast<std::int64_t>(machine.cpu(kAp).tsc_ap.tsc.latest());
      RL_ASSERT(skew.ticks == stamp - 1);
    }
    RL_ASSERT(!cp_out ||
              machine.cpu(kAp).tsc_cp.mark.latest() == core::TscMark::make(1, core::TscMark::What::kClosed));
  }
};

const std::vector<Case> kCases = {
    {"patient", simulate<Meeting<Impatient::kNobody, 2>>, {5}},
    {"ap-leaves", simulate<Meeting<Impatient::kAp, 2>>, {4}},
    {"cp-leaves", simulate<Meeting<Impatient::kCp, 2>>, {4}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
