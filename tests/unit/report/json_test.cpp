#include "vmm/report/json.hpp"

#include "tests/unit/report/story.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace reveille::vmm {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const story::Story &s) {
  const HostInfo host = story::host();
  return Json::parse(result_json(s.scenario, &host, s.seen, s.verdict));
}

std::vector<std::string> keys_of(const Json &json) {
  std::vector<std::string> keys;
  for (const auto &item : json.items())
    keys.push_back(item.key());
  return keys;
}

TEST(ResultJson, SaysOfAMachineThatWasUsedBeforeHowItStarted) {
  story::Story s = story::trouble();
  EXPECT_FALSE(json_of(s).contains("start"));
  s.seen.start = "zero";
  EXPECT_EQ(json_of(s)["start"], "zero");
}

TEST(ResultJson, HasTheKeysOfTheContractInItsOrder) {
  const Json json = json_of(story::trouble());
  const std::vector<std::string> top = {"schema",    "scenario",   "title",      "backend",  "strategy",
                                        "seed",      "exit",       "verdict",    "host",     "online",
                                        "create_us", "bringup_us", "decided_us", "total_us", "cpus",
                                        "faults",    "invariants", "differences"};
  EXPECT_EQ(keys_of(json), top);
  const std::vector<std::string> cpu = {"cpu",      "apic_id",     "outcome", "reason",
                                        "attempts", "quarantined", "points"};
  EXPECT_EQ(keys_of(json["cpus"][0]), cpu);
  const std::vector<std::string> points = {"kick", "alive", "started", "synced", "online", "idle", "active"};
  EXPECT_EQ(keys_of(json["cpus"][0]["points"]), points);
  const std::vector<std::string> fault = {"fault", "cpu", "at", "action", "fired"};
  EXPECT_EQ(keys_of(json["faults"][0]), fault);
}

TEST(ResultJson, SaysWhatTheRunShowed) {
  const Json json = json_of(story::trouble());
  EXPECT_EQ(json["verdict"], "fail");
  EXPECT_EQ(json["exit"], 1);
  EXPECT_EQ(json["strategy"], "parallel");
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["online"], Json({0, 1, 2, 4, 7}));
  EXPECT_EQ(json["cpus"][3]["reason"], "timeout@started");
  EXPECT_EQ(json["cpus"][3]["outcome"], "failed");
  EXPECT_EQ(json["cpus"][3]["quarantined"], 1);
  EXPECT_EQ(json["cpus"][4]["reason"], nullptr);
  EXPECT_EQ(json["cpus"][6]["outcome"], "not-attempted");
  EXPECT_EQ(json["host"]["kvm_max_vcpus"], 4096);
  EXPECT_EQ(json["faults"][2],
            Json::parse(R"({"fault":2,"cpu":2,"at":"synced","action":"delay","fired":0})"));
  EXPECT_EQ(json["differences"].size(), 2U);
}

TEST(ResultJson, RoundsToTenthsOfMicroseconds) {
  const Json json = json_of(story::all_up(2));
  EXPECT_EQ(json["create_us"].dump(), "2345.7");
  EXPECT_EQ(json["cpus"][1]["points"]["kick"].dump(), "10.0");
  EXPECT_EQ(json["cpus"][0]["points"]["kick"], nullptr);
}

TEST(ResultJson, InvariantsKeepTheirThreeAnswersApart) {
  const Json json = json_of(story::trouble(true))["invariants"];
  EXPECT_EQ(json[0], Json::parse(R"({"name":"legal-transitions","holds":true,"evidence":null})"));
  EXPECT_EQ(json[1]["holds"], false);
  EXPECT_NE(json[1]["evidence"].get<std::string>().find("abandoned"), std::string::npos);
  EXPECT_EQ(json[2]["holds"], nullptr);
  EXPECT_EQ(json[2]["evidence"], "proved on sim and under Relacy");
}

TEST(ResultJson, TimesThatCannotBeAreNull) {
  const Json json = json_of(story::garbage());
  EXPECT_EQ(json["cpus"][1]["points"]["kick"], nullptr);
  EXPECT_EQ(json["cpus"][1]["points"]["alive"], nullptr);
  EXPECT_EQ(json["cpus"][2]["points"]["online"], nullptr);
  EXPECT_EQ(json["faults"].size(), 3U) << "a fault that the scenario does not have";
}

TEST(ResultJson, IsUtf8WhateverItIsGiven) {
  const Json json = json_of(story::garbage()); // parse() refuses what is not UTF-8
  EXPECT_EQ(json["differences"].back(), "step \xef\xbf\xbd\033[31m");
}

TEST(ResultJsonFailed, HasTheSameKeysAndTheMessage) {
  const Json json = Json::parse(
      result_json_failed({.file = "a.toml", .title = "a"}, {ExitStatus::kUnsupported, "no /dev/kvm"}));
  EXPECT_EQ(keys_of(json), keys_of(json_of(story::all_up(1))));
  EXPECT_EQ(json["verdict"], "unsupported");
  EXPECT_EQ(json["exit"], 3);
  EXPECT_EQ(json["differences"], Json::array({"no /dev/kvm"}));
  EXPECT_EQ(json["strategy"], nullptr);
  EXPECT_EQ(Json::parse(result_json_failed({}, {ExitStatus::kUsage, "x"}))["verdict"], "invalid");
  Scenario scenario;
  scenario.seed = 7;
  scenario.backend = Backend::kSim;
  scenario.bringup.strategy = abi::Strategy::kTree;
  const Json broken = Json::parse(result_json_failed(run_name(scenario), {ExitStatus::kBroken, "x"}));
  EXPECT_EQ(broken["strategy"], "tree");
  EXPECT_EQ(broken["verdict"], "broken");
  EXPECT_EQ(broken["seed"], 7);
  EXPECT_EQ(broken["backend"], "sim");
}

} // namespace
} // namespace reveille::vmm
