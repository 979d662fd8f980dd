// The main function of a Relacy test: runs its cases, or those that are named, in full.
#pragma once

#include "relacy_cell.hpp"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::model {

/// How a case is searched: every interleaving, or all with at most so many preemptions.
struct Search {
  unsigned preemptions = 0; ///< 0: every interleaving
};

struct Case {
  std::string_view name;
  rl::simulate_f simulate;
  Search search;
};

/// Relacy lets a thread that was parked go on only after every other thread has done something,
/// also those that are parked and have nothing to do: as good as never. Here it goes on as soon as
/// it has been unparked. A thread that spins lets others go first, as Relacy would have it.
template <class Base> class Prompt : public Base {
public:
  using Base::Base;
  rl::thread_id_t schedule(rl::unpark_reason &reason, unsigned yield) {
    return Base::schedule(reason, this->thread_->state_ == rl::thread_state_running ? yield : 0);
  }
};

/// As rl::simulate(): searches, and if that finds a failure repeats it with its history.
template <class Test> bool simulate(rl::test_params &params) {
  constexpr rl::thread_id_t kThreads = Test::params::thread_count;
  const auto run = [&params](std::ostream &out, bool again) {
    return params.search_type == rl::sched_full
               ? rl::run_test<Test, Prompt<rl::full_search_scheduler<kThreads>>>(params, out, again)
               : rl::run_test<Test, Prompt<rl::context_bound_scheduler<kThreads>>>(params, out, again);
  };
  rl::ostringstream state;
  if (run(state, false) == rl::test_result_success)
    return true;
  rl::ostringstream ignored;
  params.initial_state = params.final_state = state.str();
  params.collect_history = true;
  static_cast<void>(run(ignored, true));
  return false;
}

/// Keeps what is written to it without allocating: Relacy counts allocations as the test's own.
class Kept : public std::streambuf {
public:
  explicit Kept(std::size_t size) : text_(size) { setp(text_.data(), text_.data() + text_.size()); }
  [[nodiscard]] std::string_view text() const {
    return {text_.data(), static_cast<std::size_t>(pptr() - pbase())};
  }

private:
  int_type overflow(int_type c) override { return c == traits_type::eof() ? 0 : c; } // the rest is dropped
  std::vector<char> text_;
};

inline bool run_case(const Case &c) {
  Kept kept(1 << 20), dropped(0);
  std::ostream said(&kept), progress(&dropped);
  rl::test_params params;
  params.search_type = c.search.preemptions == 0 ? rl::sched_full : rl::sched_bound;
  params.context_bound = c.search.preemptions;
  params.execution_depth_limit = 5000;
  params.output_stream = &said;
  params.progress_stream = &progress;
  const auto began = std::chrono::steady_clock::now();
  const bool good = c.simulate(params);
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%-8s %-32s %10llu executions %6.1f s\n", good ? "ok" : "FAILED", std::string(c.name).c_str(),
              static_cast<unsigned long long>(params.stop_iteration), took);
  std::fflush(stdout);
  if (!good)
    std::cout << kept.text() << '\n';
  return good;
}

/// Exit status 0 if all is well, 1 if a case fails, 2 if there is no case of a name.
inline int run_cases(const std::vector<Case> &cases, int argc, char **argv) {
  int status = 0;
  for (int i = 1; i < argc; ++i) {
    bool known = false;
    for (const Case &c : cases)
      known |= c.name == argv[i];
    if (!known) {
      std::cerr << "there is no case " << argv[i] << '\n';
      return 2;
    }
  }
  for (const Case &c : cases) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i)
      wanted |= c.name == argv[i];
    if (wanted && !run_case(c))
      status = 1;
  }
  return status;
}

} // namespace reveille::model
