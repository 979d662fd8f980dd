// Prints results of every kind as JSON, one after the other.
#include "tests/unit/report/story.hpp"
#include "vmm/report/json.hpp"

#include <cstdio>

int main() {
  using namespace reveille::vmm;
  const auto print = [](const story::Story &s) {
    const HostInfo host = story::host();
    std::fputs(result_json(s.scenario, &host, s.seen, s.verdict).c_str(), stdout);
  };
  print(story::all_up(1));
  print(story::all_up(8));
  print(story::trouble());
  print(story::trouble(true));
  print(story::many());
  print(story::garbage());
  for (const ExitStatus status : {ExitStatus::kUsage, ExitStatus::kUnsupported, ExitStatus::kBroken,
                                  ExitStatus::kInterrupted, ExitStatus::kDiffers})
    std::fputs(result_json_failed({.file = "a\xff.toml", .title = ""}, {status, "a.toml:1:1: \"x\" is wrong"})
                   .c_str(),
               stdout);
}
