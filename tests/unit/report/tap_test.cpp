#include "vmm/report/tap.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

JunitCase failed() {
  return {.file = "configs/x.toml",
          .title = "a \"title\"",
          .seed = 7,
          .repeated = false,
          .kind = JunitKind::kFailure,
          .type = "fail",
          .findings = {"CPU 1 is late\nby far", "CPU 2 too"},
          .again = "vmm run configs/x.toml",
          .log = "",
          .seconds = 0.25};
}

TEST(Tap, ARunThatPassesIsALine) {
  JunitCase of = failed();
  of.kind = JunitKind::kPassed;
  EXPECT_EQ(tap_point(3, of), "ok 3 - configs/x.toml\n");
  of.repeated = true;
  EXPECT_EQ(tap_point(3, of), "ok 3 - configs/x.toml seed 7\n");
}

TEST(Tap, ARunThatFailsSaysWhyInYaml) {
  EXPECT_EQ(tap_point(1, failed()), "not ok 1 - configs/x.toml\n"
                                    "  ---\n"
                                    "  message: \"CPU 1 is late\"\n"
                                    "  severity: fail\n"
                                    "  verdict: fail\n"
                                    "  title: \"a \\\"title\\\"\"\n"
                                    "  seed: 7\n"
                                    "  duration_ms: 250\n"
                                    "  again: \"vmm run configs/x.toml\"\n"
                                    "  findings: |\n"
                                    "    CPU 1 is late\\nby far\n"
                                    "    CPU 2 too\n"
                                    "  ...\n");
}

TEST(Tap, ARunThatCannotBeRunIsSkipped) {
  JunitCase of = failed();
  of.kind = JunitKind::kSkipped;
  of.findings = {"no KVM # here"};
  EXPECT_EQ(tap_point(2, of), "ok 2 - configs/x.toml # SKIP no KVM \\# here\n");
}

TEST(Tap, AFilesNameIsNoDirective) {
  JunitCase of = failed();
  of.kind = JunitKind::kPassed;
  of.file = "a # SKIP\nnot ok 2.toml";
  EXPECT_EQ(tap_point(1, of), "ok 1 - a \\# SKIP\\\\nnot ok 2.toml\n");
}

TEST(Tap, OfVeryManyFindingsTheRestIsCounted) {
  JunitCase of = failed();
  of.findings.assign(1'000, "x");
  EXPECT_NE(tap_point(1, of).find("    and 800 more\n"), std::string::npos);
}

TEST(Tap, HeadAndEnd) {
  EXPECT_EQ(tap_head(2), "TAP version 13\n1..2\n");
  EXPECT_EQ(tap_head(0), "TAP version 13\n1..0 # SKIP nothing to run\n");
  EXPECT_EQ(tap_bail_out("interrupted"), "Bail out! interrupted\n");
}

} // namespace
} // namespace reveille::vmm
