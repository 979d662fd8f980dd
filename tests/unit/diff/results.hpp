// Results as text, to be read and compared.
#pragma once

#include <string>
#include <string_view>

namespace reveille::test {

/// A CPU. `points` is the way from its kick to active, microseconds from time zero; empty: it came nowhere.
inline std::string cpu_text(int cpu, std::string_view outcome, std::string_view reason = "",
                            std::string_view points = "", int attempts = 1) {
  const std::string why = reason.empty() ? "null" : '"' + std::string(reason) + '"';
  const std::string way =
      points.empty() ? R"("kick": null, "alive": null, "started": null, "synced": null, "online": null,
                          "idle": null, "active": null)"
                     : std::string(points);
  return "{\"cpu\": " + std::to_string(cpu) + ", \"apic_id\": 0, \"outcome\": \"" + std::string(outcome) +
         "\", \"reason\": " + why + ", \"attempts\": " + std::to_string(attempts) +
         ", \"quarantined\": 0, \"points\": {" + way + "}}";
}

/// A way whose points are `step` apart, the kick at `kick`.
inline std::string way(int kick, int step) {
  std::string text = "\"kick\": " + std::to_string(kick);
  for (const char *point : {"alive", "started", "synced", "online", "idle", "active"})
    text += std::string(", \"") + point + "\": " + std::to_string(kick += step);
  return text;
}

struct RunText {
  std::string cpus;
  std::string verdict = "pass";
  std::string invariants = "";
  std::string faults = "";
  std::string scenario = "s.toml";
  std::string decided = "50";
  int seed = 0;

  [[nodiscard]] std::string text() const {
    return R"({"schema": 1, "scenario": ")" + scenario + R"(", "title": "t", "backend": "sim",
      "strategy": "split", "seed": )" +
           std::to_string(seed) + R"(, "exit": 0, "verdict": ")" + verdict +
           R"(", "host": {}, "online": [], "create_us": 1, "bringup_us": 40.5, "decided_us": )" + decided +
           R"(, "total_us": 60, "cpus": [)" + cpus + R"(], "faults": [)" + faults + R"(], "invariants": [)" +
           invariants + R"(], "differences": []})";
  }
};

} // namespace reveille::test
