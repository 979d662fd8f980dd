#include "vmm/report/junit.hpp"
#include "vmm/report/junit_run.hpp"

#include "tests/unit/report/story.hpp"

#include <gtest/gtest.h>
#include <pugixml.hpp>

namespace reveille::vmm {
namespace {

JunitCase made(JunitKind kind) {
  JunitCase of;
  of.file = "configs/faults/two-stalls.toml";
  of.title = "Two APs stall";
  of.seed = 7;
  of.kind = kind;
  of.type = "fail";
  of.findings = {"first", "second"};
  of.again = "vmm run x";
  of.log = "log";
  of.seconds = 1.23456;
  return of;
}

/// The case as a reader has it, which fails the test where it is not well-formed.
struct Read {
  explicit Read(const JunitCase &of) {
    const std::string text = junit_case(of);
    const auto parsed = document.load_buffer(text.data(), text.size());
    EXPECT_TRUE(parsed) << parsed.description() << " in " << text;
    node = document.child("testcase");
  }
  [[nodiscard]] std::string attribute(const char *name) const { return node.attribute(name).value(); }
  [[nodiscard]] std::string text(const char *child) const { return node.child(child).text().get(); }

  pugi::xml_document document;
  pugi::xml_node node;
};

TEST(Junit, ACaseHasItsNamesAndItsTime) {
  const Read passed(made(JunitKind::kPassed));
  EXPECT_EQ(passed.attribute("classname"), "configs.faults");
  EXPECT_EQ(passed.attribute("name"), "two-stalls");
  EXPECT_EQ(passed.attribute("time"), "1.235");
  EXPECT_EQ(passed.text("system-out"), "title: Two APs stall\nseed: 7\nagain: vmm run x");
  for (const char *child : {"failure", "error", "skipped", "system-err"})
    EXPECT_FALSE(passed.node.child(child)) << child;
}

TEST(Junit, OneThatDidNotPassSaysWhy) {
  const std::pair<JunitKind, const char *> kinds[] = {
      {JunitKind::kFailure, "failure"}, {JunitKind::kError, "error"}, {JunitKind::kSkipped, "skipped"}};
  for (const auto &[kind, element] : kinds) {
    const Read of(made(kind));
    EXPECT_STREQ(of.node.first_child().name(), element);
    EXPECT_STREQ(of.node.first_child().attribute("type").value(), "fail");
    EXPECT_STREQ(of.node.first_child().attribute("message").value(), "first");
    EXPECT_EQ(of.text(element), "first\nsecond\nagain: vmm run x");
    EXPECT_EQ(of.text("system-err"), "log");
  }
}

TEST(Junit, TheMessageIsOneLine) {
  JunitCase of = made(JunitKind::kError);
  of.findings = {"a.toml:1:1: wrong\n(1 more error in it)"};
  EXPECT_STREQ(Read(of).node.child("error").attribute("message").value(), "a.toml:1:1: wrong");
  of.findings = {};
  EXPECT_STREQ(Read(of).node.child("error").attribute("message").value(), "fail");
}

TEST(Junit, VeryManyFindingsAreCutShort) {
  JunitCase of = made(JunitKind::kFailure);
  of.findings.assign(100'000, "CPU 3: expected online");
  const std::string text = Read(of).text("failure");
  EXPECT_LT(text.size(), 10'000U);
  EXPECT_NE(text.find("\nand 99800 more\nagain: "), std::string::npos);
}

TEST(Junit, ClassesAreFolders) {
  const auto class_of = [](const std::string &file) {
    JunitCase of = made(JunitKind::kPassed);
    of.file = file;
    return Read(of).attribute("classname") + " " + Read(of).attribute("name");
  };
  EXPECT_EQ(class_of("x.toml"), "scenarios x");
  EXPECT_EQ(class_of("./x.toml"), "scenarios x");
  EXPECT_EQ(class_of("-"), "scenarios standard input");
  EXPECT_EQ(class_of("/a/b/../c.d/x.toml"), "a.c_d x");
  EXPECT_EQ(class_of("../a/x"), "__.a x");
}

TEST(Junit, OfSeveralSeedsTheNameSaysWhich) {
  JunitCase of = made(JunitKind::kPassed);
  of.repeated = true;
  EXPECT_EQ(Read(of).attribute("name"), "two-stalls seed 7");
}

// XML 1.0 has no control characters, not even as references, and two characters less than Unicode.
TEST(Junit, TextsMayHoldAnything) {
  std::string anything = "<&>\"']]> \t\n\r";
  for (char c = 1; c < 0x20; ++c)
    anything += c;
  anything += "\x7f\xff\xc3\xa4\xed\xa0\x80\xef\xbf\xbe\xef\xbf\xbf";
  anything += '\0';
  JunitCase of = made(JunitKind::kFailure);
  of.file = of.title = of.again = of.log = anything;
  of.findings = {anything};
  const std::string text = junit_case(of);
  for (const char c : text)
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') << static_cast<int>(c);
  for (std::size_t at = text.find("&#"); at != std::string::npos; at = text.find("&#", at + 1))
    EXPECT_TRUE(text.compare(at, 5, "&#10;") == 0 || text.compare(at, 5, "&#09;") == 0) << text.substr(at, 6);
  EXPECT_EQ(text.find("\xef\xbf\xbe"), std::string::npos);
  EXPECT_EQ(text.find("\xef\xbf\xbf"), std::string::npos);
  const std::string read = Read(of).text("system-out");
  EXPECT_TRUE(read.starts_with("title: <&>\"']]> \t\n\\r")) << read;
  EXPECT_NE(read.find("\xc3\xa4"), std::string::npos); // a letter stays one
}

TEST(Junit, KindsFollowTheVerdictAndWhoseItIs) {
  EXPECT_EQ(junit_kind("pass", true), JunitKind::kPassed);
  EXPECT_EQ(junit_kind("fail", true), JunitKind::kFailure);
  EXPECT_EQ(junit_kind("broken", true), JunitKind::kFailure);
  EXPECT_EQ(junit_kind("broken", false), JunitKind::kError); // hung, or without a result
  EXPECT_EQ(junit_kind("invalid", false), JunitKind::kError);
  EXPECT_EQ(junit_kind("invalid", true), JunitKind::kError);
  EXPECT_EQ(junit_kind("unsupported", true), JunitKind::kSkipped);
  EXPECT_EQ(junit_kind("interrupted", false), JunitKind::kSkipped);
}

TEST(Junit, AFrameHoldsTheCasesAndTheirSums) {
  JunitSuite suite{
      .name = "s", .counts = {}, .seconds = 2, .timestamp = "2026-01-02T03:04:05", .properties = {}};
  for (const JunitKind kind : {JunitKind::kPassed, JunitKind::kFailure, JunitKind::kError, JunitKind::kError,
                               JunitKind::kSkipped, JunitKind::kSkipped, JunitKind::kSkipped})
    suite.counts.add(kind);
  suite.properties = {{"seed", "3"}, {"</testsuite>", "</testsuite>\n"}, {"none", ""}};
  const JunitFrame frame = junit_frame(suite);
  const std::string text = frame.before + junit_case(made(JunitKind::kPassed)) + frame.after;
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(text.c_str())) << text;
  const pugi::xml_node one = document.child("testsuites").child("testsuite");
  EXPECT_EQ(one.attribute("tests").as_int(), 7);
  EXPECT_EQ(one.attribute("failures").as_int(), 1);
  EXPECT_EQ(one.attribute("errors").as_int(), 2);
  EXPECT_EQ(one.attribute("skipped").as_int(), 3);
  EXPECT_STREQ(one.child("testcase").attribute("name").value(), "two-stalls");
  EXPECT_STREQ(one.child("properties").first_child().attribute("value").value(), "3");
  EXPECT_STREQ(one.child("properties").last_child().attribute("name").value(),
               "</testsuite>"); // none has no value
}

TEST(Junit, ARunTellsItsDifferencesAndBrokenInvariants) {
  story::Story trouble = story::trouble();
  trouble.verdict.differences = {"CPU 3: expected online"};
  trouble.verdict.kind = VerdictKind::kBroken;
  trouble.verdict.invariants.at(0).holds = false;
  trouble.verdict.invariants.at(0).evidence = "seen at 3 ms";
  const std::string text = junit_of_run(trouble.scenario, trouble.verdict, "vmm run x", 0.5);
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(text.c_str())) << text;
  const pugi::xml_node of = document.child("testsuites").child("testsuite").child("testcase");
  EXPECT_STREQ(of.child("failure").attribute("type").value(), "broken");
  EXPECT_EQ(of.child("failure").text().get(), "CPU 3: expected online\n" +
                                                  std::string(trouble.verdict.invariants.at(0).name) +
                                                  ": seen at 3 ms\nagain: vmm run x");
  const std::string failed =
      junit_of_run_failed(trouble.scenario, {ExitStatus::kUnsupported, "no KVM"}, "a", 0);
  ASSERT_TRUE(document.load_string(failed.c_str())) << failed;
  const pugi::xml_node suite = document.child("testsuites").child("testsuite");
  EXPECT_EQ(suite.attribute("skipped").as_int(), 1);
  EXPECT_STREQ(suite.child("testcase").child("skipped").attribute("message").value(), "no KVM");
}

} // namespace
} // namespace reveille::vmm
