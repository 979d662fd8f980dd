// What a suite's page is made of: the matrix of what was tried, the runs, and texts that stay texts.
#include "vmm/html/template.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/support.hpp"
#include "vmm/suite/page.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>

namespace reveille::test {
namespace {

using namespace reveille::vmm;
using Json = nlohmann::json;

std::string result_with(const std::string &faults) {
  return R"({"cpus": [{"cpu": 1, "outcome": "failed", "reason": "timeout@started"},
                      {"cpu": 2, "outcome": "online", "reason": null}], "faults": [)" +
         faults + "]}";
}

std::string fault(int cpu, const std::string &at, const std::string &action, int fired = 1) {
  return R"({"fault": 0, "cpu": )" + std::to_string(cpu) + R"(, "at": ")" + at + R"(", "action": ")" +
         action + R"(", "fired": )" + std::to_string(fired) + "}";
}

std::size_t action_of(std::string_view name) {
  return static_cast<std::size_t>(find_action(name) - all_actions().data());
}

Outcome outcome_with(SuiteVerdict verdict, const std::string &json, double seconds = 1) {
  Outcome outcome;
  outcome.verdict = verdict;
  outcome.json = json;
  outcome.seconds = seconds;
  return outcome;
}

/// The data that stands in a page.
Json data_in(const std::string &page) {
  const std::string begin = R"(<script type="application/json" id="data">)";
  const std::size_t at = page.find(begin) + begin.size();
  return Json::parse(page.substr(at, page.find("</script>", at) - at));
}

TEST(page, each_place_is_a_row_once) {
  const auto places = matrix_places();
  std::set<std::string_view> names;
  for (const MatrixPlace &place : places)
    EXPECT_TRUE(names.insert(place.name).second) << place.name;
  for (const std::string at :
       {"alive", "active.released", "kick", "step:area", "step:area.done", "step:lapic", "init", "sipi",
        "sipi2", "stop", "dying", "dead", "symbol:x", "addr:0x10", "exit:3", "time:5", "firmware"})
    EXPECT_LT(place_of(places, at), places.size()) << at;
  EXPECT_EQ(places[place_of(places, "sipi2")].name, "sipi2");
  EXPECT_EQ(places[place_of(places, "alive.released")].name, "alive.released");
  EXPECT_EQ(place_of(places, "nowhere"), places.size());
}

TEST(page, reach_is_what_the_tables_say) {
  const auto places = matrix_places();
  const auto at = [&](const char *place) { return places[place_of(places, place)]; };
  EXPECT_EQ(reach_of(at("alive"), Action::kStall, Backend::kKvm), Reach::kHere);
  EXPECT_EQ(reach_of(at("alive"), Action::kStall, Backend::kSim), Reach::kHere);
  EXPECT_EQ(reach_of(at("alive"), Action::kGhost, Backend::kKvm), Reach::kNowhere);
  EXPECT_EQ(reach_of(at("exit:1"), Action::kStall, Backend::kKvm), Reach::kHere);
  EXPECT_EQ(reach_of(at("exit:1"), Action::kStall, Backend::kSim), Reach::kElsewhere);
}

TEST(page, a_cell_counts_runs_once_and_cpus_by_what_became_of_them) {
  Matrix matrix;
  matrix.add(0, result_with(fault(1, "alive", "stall") + "," + fault(2, "alive", "stall") + "," +
                            fault(2, "alive", "delay", 0)));
  matrix.add(1, result_with(fault(1, "alive", "stall") + "," + fault(9, "alive", "stall")));
  matrix.add(2, "no result");
  matrix.add(3, R"({"faults": [1, {}, {"at": "x", "action": "stall"}], "cpus": [1]})");
  ASSERT_EQ(matrix.cells().size(), 2u);
  const std::size_t alive = place_of(matrix.places(), "alive");
  const MatrixCell &stall = matrix.cells().at({alive, action_of("stall")});
  EXPECT_EQ(stall.runs, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(stall.outcomes.at("timeout@started"), 2u);
  EXPECT_EQ(stall.outcomes.at("online"), 1u);
  EXPECT_EQ(stall.outcomes.at("not in the result"), 1u);
  EXPECT_EQ(matrix.cells().at({alive, action_of("delay")}).not_fired, 1u);
}

TEST(page, pages_lie_as_the_scenarios_do) {
  SuiteOptions options;
  options.report = "out/all.html";
  EXPECT_EQ(page_file(options, "configs/a.toml", 0), "out/all/configs/a.toml.html");
  EXPECT_EQ(page_file(options, "../a.toml", 0), "out/all/up/a.toml.html");
  options.repeat = 2;
  EXPECT_EQ(page_file(options, "/b.toml", 7), "out/all/b.toml.seed-7.html");
}

TEST(page, a_run_is_linked_where_its_page_is_there_and_nothing_in_it_is_markup) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("reveille-page-" + std::to_string(::getpid()));
  SuiteOptions options;
  options.report = (folder / "javascript:x.html").string();
  const std::string name = "a b<\"%.toml";
  std::filesystem::create_directories(folder / "javascript:x");
  std::ofstream(page_file(options, name, 0)) << "x";
  SuitePage page;
  Tally tally(2);
  Outcome failed = outcome_with(SuiteVerdict::kFail, result_with(fault(1, "alive", "stall")));
  failed.findings = {"</script><script>alert(1)</script>\x1b[2J"};
  page.add(options, {.file = name, .title = "<!-- <img src=x>", .seed = 0}, failed);
  page.add(options, {.file = "gone.toml", .title = "", .seed = 0}, outcome_with(SuiteVerdict::kPass, "{}"));
  const std::string text = page.text(options, tally, 2, 3);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(text.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(text.find("<img"), std::string::npos);
  const Json data = data_in(text);
  EXPECT_EQ(data["runs"][0]["page"], "./javascript%3Ax/a%20b%3C%22%25.toml.html");
  EXPECT_EQ(data["runs"][0]["title"], "<!-- <img src=x>");
  EXPECT_EQ(data["runs"][0]["findings"][0], "</script><script>alert(1)</script>\\x1b[2J");
  EXPECT_EQ(data["runs"][1]["page"], "");
  EXPECT_EQ(data["cells"].size(), 1u);
  EXPECT_EQ(data["counts"]["not run"], 2);
}

TEST(page, a_run_without_a_page_is_told) {
  SuitePage page;
  EXPECT_EQ(page.without_page(), "");
  EXPECT_EQ(data_in(page.text(SuiteOptions{}, Tally(0), 0, 0))["without_page"], "");
  page.note_too_large();
  page.note_too_large();
  EXPECT_EQ(page.without_page(),
            "No page of 2 runs: one has room for 10000 CPUs; the traces have room for all (--trace).");
  EXPECT_EQ(data_in(page.text(SuiteOptions{}, Tally(0), 0, 0))["without_page"], page.without_page());
}

TEST(page, marks_are_filled_once) {
  EXPECT_EQ(fill_template("a{{x}}b{{y}}{{none}}c", {{"x", "{{y}}"}, {"y", "2"}}), "a{{y}}b2c");
}

} // namespace
} // namespace reveille::test
