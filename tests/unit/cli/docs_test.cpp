// The tables in the docs are the ones in the code: between the markers of each stands what
// `vmm markdown NAME` prints.
#include "vmm.hpp"

#include <filesystem>
#include <map>
#include <vector>

namespace reveille::test {
namespace {

constexpr std::string_view kBegin = "\n<!-- table: "; // at the beginning of a line
constexpr std::string_view kBegun = " -->\n";
constexpr std::string_view kEnd = "<!-- end -->\n";

/// The tables of one page, by name; an entry for each time that a name is there.
void tables_of(const std::string &page, std::multimap<std::string, std::string> &tables) {
  for (std::size_t at = page.find(kBegin); at != std::string::npos; at = page.find(kBegin, at)) {
    const std::size_t name = at + kBegin.size();
    const std::size_t begun = page.find(kBegun, name);
    const std::size_t end = page.find(kEnd, name);
    ASSERT_TRUE(begun < end && end != std::string::npos) << page.substr(at, 40);
    tables.emplace(page.substr(name, begun - name),
                   page.substr(begun + kBegun.size(), end - begun - kBegun.size()));
    at = end;
  }
}

std::multimap<std::string, std::string> tables_of_the_docs() {
  std::multimap<std::string, std::string> tables;
  for (const auto &entry : std::filesystem::directory_iterator(REVEILLE_SOURCE_DIR "/docs")) {
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    tables_of(text.str(), tables);
  }
  return tables;
}

/// The names that the generator knows, from its complaint.
std::vector<std::string> generated() {
  const std::string complaint = vmm("markdown").complaint();
  const std::string before = "vmm: markdown takes one of ";
  EXPECT_TRUE(complaint.starts_with(before)) << complaint;
  std::istringstream names(complaint.substr(std::min(complaint.size(), before.size())));
  std::vector<std::string> list;
  for (std::string name; names >> name;)
    list.push_back(name.substr(0, name.find(',')));
  return list;
}

TEST(docs, tables_are_the_ones_in_the_code) {
  const auto tables = tables_of_the_docs();
  EXPECT_FALSE(tables.empty());
  for (const auto &[name, table] : tables) {
    const Outcome outcome = vmm("markdown " + name);
    EXPECT_EQ(outcome.status, 0) << name << ": " << outcome.err;
    EXPECT_EQ(table, outcome.out) << "vmm markdown " << name << " prints it anew";
  }
}

TEST(docs, have_every_table_once) {
  const auto tables = tables_of_the_docs();
  const std::vector<std::string> names = generated();
  EXPECT_GE(names.size(), 7U);
  for (const std::string &name : names)
    EXPECT_EQ(tables.count(name), 1U) << name;
}

} // namespace
} // namespace reveille::test
