// The page as text: what is untrusted stays data, and nothing is fetched.

#include "tests/unit/judge/made_run.hpp"
#include "vmm/html/page.hpp"
#include "vmm/html/template.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

constexpr std::string_view kNasty = "</script><script>alert(1)</script><!-- {{style}} & \"\x01\xff";

struct Made {
  explicit Made(MadeRun made) : run(std::move(made)), verdict(run.judged()) {
    story = tell_story(run.scenario, run.seen, verdict);
  }
  [[nodiscard]] Page page() const {
    return {run.scenario,    nullptr, run.seen, verdict, story, "pass", ExitStatus::kAsExpected,
            "vmm run x.toml"};
  }

  MadeRun run;
  Verdict verdict;
  Story story;
};

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

TEST(HtmlPage, HasTheRunInIt) {
  const Made made(sound_run());
  const auto data = nlohmann::json::parse(page_data(made.page()));
  ASSERT_EQ(data["tracks"].size(), 3U);
  EXPECT_TRUE(data["tracks"][0]["control"]);
  EXPECT_EQ(data["tracks"][1]["slices"].size(), made.story.tracks[1].slices.size());
  EXPECT_EQ(data["arrows"].size(), made.story.arrows.size());
  EXPECT_EQ(data["invariants"].size(), invariant_names().size());
  EXPECT_EQ(data["cpus"].size(), 3U);
  EXPECT_FALSE(data["stretches"].empty());
  EXPECT_EQ(data["again"], "vmm run x.toml");
}

TEST(HtmlPage, WhatOthersHaveNamedIsNoMarkup) {
  MadeRun run = sound_run();
  run.scenario.title = kNasty;
  run.scenario.file = kNasty;
  for (auto &names : run.seen.steps.names)
    for (std::string &name : names)
      name = kNasty;
  const Made made(std::move(run));
  const std::string plain = html_page(Made(sound_run()).page());
  const std::string page = html_page(made.page());
  EXPECT_EQ(page_data(made.page()).find('<'), std::string::npos);
  for (const std::string_view tag : {"<script", "</script", "<!--", "</style"})
    EXPECT_EQ(count(page, tag), count(plain, tag)) << tag;
  // Of what cannot be text the data has a replacement, and the rest as it was.
  const auto data = nlohmann::json::parse(page_data(made.page()));
  EXPECT_TRUE(data["title"].get<std::string>().starts_with("</script><script>alert(1)"));
}

TEST(HtmlPage, NeedsNothingBesideIt) {
  const std::string page = html_page(Made(sound_run()).page());
  for (const std::string_view way :
       {"src=", "<link", "@import", "url(http", "href=\"http", "fetch(", "import("})
    EXPECT_EQ(page.find(way), std::string::npos) << way;
  EXPECT_EQ(page.find("{{"), std::string::npos);
}

TEST(HtmlPage, OfARunThatNeverBeganSaysWhy) {
  Verdict verdict;
  verdict.differences = {"no KVM here"};
  const MadeRun run(2);
  const Page page{run.scenario, nullptr, {}, verdict, {}, "unsupported", ExitStatus::kUnsupported, ""};
  const auto data = nlohmann::json::parse(page_data(page));
  EXPECT_EQ(data["differences"][0], "no KVM here");
  EXPECT_EQ(data["exit"], 3);
  EXPECT_TRUE(data["tracks"].empty());
  EXPECT_TRUE(data["blame"].empty());
}

TEST(HtmlPage, TextBetweenTags) { EXPECT_EQ(html_text("a<b>&\"c\x1b"), "a&lt;b&gt;&amp;&quot;c\\x1b"); }

} // namespace
} // namespace reveille::vmm
