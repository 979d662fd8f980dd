// Every scenario in configs/ is valid, prints to itself, and says what it shows.
#include "vmm/scenario/load.hpp"
#include "vmm/scenario/print.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace reveille::vmm {
namespace {

std::vector<std::string> configs() {
  std::vector<std::string> files;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(REVEILLE_SOURCE_DIR "/configs"))
    if (entry.path().extension() == ".toml")
      files.push_back(entry.path().string());
  return files;
}

TEST(scenario, configs_check_to_themselves) {
  EXPECT_GE(configs().size(), 40U);
  for (const std::string &file : configs()) {
    const auto scenario = load_scenario(file);
    ASSERT_TRUE(scenario) << scenario.error().message;
    const auto again = parse_scenario(to_toml(*scenario), "printed");
    ASSERT_TRUE(again) << file << ": " << again.error().message;
    EXPECT_EQ(to_toml(*again), to_toml(*scenario)) << file;
  }
}

TEST(scenario, configs_say_what_they_show) {
  for (const std::string &file : configs()) {
    std::string line;
    std::getline(std::ifstream(file) >> std::ws, line);
    EXPECT_TRUE(line.starts_with("# ")) << file;
    EXPECT_NE(load_scenario(file)->title, std::filesystem::path(file).filename()) << file << " has no title";
  }
}

TEST(scenario, failing_configs_are_quick) {
  for (const std::string &file : configs()) {
    const auto scenario = load_scenario(file);
    if (!scenario->expect.failed.empty()) {
      EXPECT_LE(scenario->bringup.timeout_ms, 300) << file;
    }
  }
}

} // namespace
} // namespace reveille::vmm
