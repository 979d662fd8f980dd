// An examination as text and as JSON, and what it comes to. A host without KVM needs none.
#include "vmm/doctor/checks.hpp"
#include "vmm/doctor/examine.hpp"
#include "vmm/doctor/json.hpp"
#include "vmm/doctor/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <sstream>

namespace reveille::vmm {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

Examination made(Standing opening, Standing kernel, Standing other) {
  Examination made;
  made.diagnoses = {
      {.name = "/dev/kvm",
       .finding = Finding{opening, "opened"},
       .needed = true,
       .touches = "all",
       .mend = {}},
      {.name = "kernel LAPIC",
       .finding = Finding{kernel, "an AP"},
       .needed = true,
       .touches = "apic",
       .mend = {}},
      {.name = "TSC offset",
       .finding = Finding{other, "no \033[31meffect"},
       .touches = "skew",
       .mend = "other KVM"},
      {.name = "instructions", .finding = {}, .touches = "kernels", .mend = {}},
  };
  return made;
}

const Examination kGood = made(Standing::kWorks, Standing::kWorks, Standing::kWorks);
const Examination kLacking = made(Standing::kWorks, Standing::kWorks, Standing::kLacks);
const Examination kUnfit = made(Standing::kWorks, Standing::kLacks, Standing::kWorks);

TEST(Doctor, OnlyWhatIsNeededMakesAHostUnfit) {
  EXPECT_TRUE(kGood.works());
  EXPECT_TRUE(kLacking.works());
  EXPECT_FALSE(kUnfit.works());
  EXPECT_FALSE(made(Standing::kLacks, Standing::kWorks, Standing::kWorks).works());
  EXPECT_TRUE(made(Standing::kWorks, Standing::kPartly, Standing::kWorks).works()) << "it has less";
  Examination blind = kGood;
  blind.diagnoses[1].finding.reset();
  EXPECT_FALSE(blind.works());
}

TEST(Doctor, TextSaysWhatWasFoundAndHowToMendIt) {
  const std::string text = examination_text({}, kLacking);
  EXPECT_THAT(text, HasSubstr("probed         found"));
  EXPECT_THAT(text, HasSubstr("works       /dev/kvm       opened"));
  EXPECT_THAT(text, HasSubstr("lacks       TSC offset     no \\x1b[31meffect"));
  EXPECT_THAT(text, HasSubstr("mend: other KVM\n"));
  EXPECT_THAT(text, HasSubstr("not probed  instructions   it takes a KVM"));
  EXPECT_THAT(text, HasSubstr("vmm run works here on KVM, without: TSC offset."));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, Not(HasSubstr(" \n")));
}

TEST(Doctor, TextEndsInWhetherRunsWork) {
  EXPECT_THAT(examination_text({}, kGood), HasSubstr("\n\nvmm run works here on KVM.\n"));
  EXPECT_THAT(examination_text({}, kUnfit), HasSubstr("vmm run FILE --backend sim"));
  EXPECT_THAT(examination_text({}, kUnfit), HasSubstr("cannot work here on KVM"));
}

TEST(Doctor, ColourIsWhereThereIsSome) {
  Style style;
  style.colour = true;
  const std::string text = examination_text(style, kLacking);
  EXPECT_THAT(text, HasSubstr("\033[32mworks       \033[0m/dev/kvm"));
  EXPECT_THAT(text, HasSubstr("\033[1;31mlacks       \033[0mTSC offset"));
}

TEST(Doctor, TextKeepsTheWidth) {
  Examination wordy = kLacking;
  std::string words;
  for (int i = 0; i < 60; ++i)
    words += "a few ";
  wordy.diagnoses[2].finding->found = wordy.diagnoses[2].touches = wordy.diagnoses[2].mend = words;
  for (const int width : {80, 100, 200}) {
    Style style;
    style.width = width;
    std::istringstream lines(examination_text(style, wordy));
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(line.size(), static_cast<std::size_t>(width)) << line;
  }
}

TEST(Doctor, JsonHasEveryProbe) {
  const Json json = Json::parse(examination_json(kLacking));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["exit"], 0);
  EXPECT_EQ(json["works"], true);
  ASSERT_EQ(json["probes"].size(), 4U);
  EXPECT_EQ(json["probes"][2], Json::parse(R"({"name": "TSC offset", "standing": "lacks", "needed": false,
      "found": "no \u001b[31meffect", "touches": "skew", "mend": "other KVM"})"));
  EXPECT_EQ(json["probes"][3]["standing"], "not probed");
  EXPECT_EQ(json["probes"][3]["found"], nullptr);
  EXPECT_EQ(json["probes"][3]["mend"], nullptr);
  EXPECT_EQ(Json::parse(examination_json(kUnfit))["exit"], 3);
}

TEST(Doctor, WithoutKvmTheHostIsExaminedAllTheSame) {
  const Examination examination = examine("/nonexistent/kvm");
  EXPECT_FALSE(examination.works());
  EXPECT_FALSE(examination.host);
  const Diagnosis &opening = examination.diagnoses.front();
  EXPECT_EQ(opening.finding->found, "cannot open /nonexistent/kvm: No such file or directory");
  EXPECT_THAT(opening.mend, HasSubstr("load the module"));
  ASSERT_EQ(examination.diagnoses.size(), all_checks().size() + 1);
  for (std::size_t i = 0; i < all_checks().size(); ++i)
    EXPECT_EQ(examination.diagnoses[i + 1].finding.has_value(), all_checks()[i].on_host != nullptr);
}

TEST(Doctor, ChecksAreCompleteAndHaveTheirOwnNames) {
  std::set<std::string_view> names;
  for (const Check &check : all_checks()) {
    EXPECT_TRUE(names.insert(check.name).second) << check.name;
    EXPECT_NE(check.on_kvm == nullptr, check.on_host == nullptr) << check.name;
    EXPECT_FALSE(check.touches.empty() || check.mend.empty()) << check.name;
    EXPECT_LT(check.name.size(), 15U) << check.name; // its column
  }
}

} // namespace
} // namespace reveille::vmm
