// What `doctor` says of its use. What it finds is tests/kvm's.
#include "vmm.hpp"

namespace reveille::test {
namespace {

#ifdef REVEILLE_HAS_LAB

TEST(cli, doctor_says_how_it_is_used) {
  const std::string hint = "vmm doctor --help";
  expect_usage_error("doctor x", "vmm doctor: \"x\" is one argument too many", hint);
  expect_usage_error("doctor --josn f", "vmm doctor: unknown option --josn; did you mean \"--json\"?", hint);
  expect_usage_error("doctor --json", "vmm doctor: --json needs a value", hint);
  expect_usage_error("doctor --json configs", "vmm doctor: --json: configs is a directory", hint);
  expect_usage_error("doctor --json /no/such/folder/x",
                     "vmm doctor: --json: there is no folder /no/such/folder", hint);
}

TEST(cli, doctor_has_help) {
  const Outcome outcome = vmm("doctor --help");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char *word : {"--json FILE", "Example", "Exit status", "--backend sim"})
    EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
}

#endif

} // namespace
} // namespace reveille::test
