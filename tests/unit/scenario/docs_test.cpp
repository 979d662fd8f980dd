// The tables in the docs are the ones in the code. `vmm markdown NAME` prints each anew.
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/keys.hpp"
#include "vmm/scenario/places.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace reveille::vmm {
namespace {

/// What stands between the markers of a table.
std::string table_in(const std::string &file, const std::string &name) {
  std::ostringstream text;
  text << std::ifstream(std::string(REVEILLE_SOURCE_DIR "/docs/") + file).rdbuf();
  const std::string all = text.str();
  const std::string begin = "<!-- table: " + name + " -->\n";
  const std::size_t from = all.find(begin);
  const std::size_t to = all.find("<!-- end -->", from);
  if (from == std::string::npos || to == std::string::npos)
    return "no such table";
  return all.substr(from + begin.size(), to - from - begin.size());
}

TEST(scenario, docs_list_the_keys) { EXPECT_EQ(table_in("scenario.md", "keys"), keys_as_markdown()); }
TEST(scenario, docs_list_the_places) { EXPECT_EQ(table_in("faults.md", "places"), places_as_markdown()); }
TEST(scenario, docs_list_the_actions) { EXPECT_EQ(table_in("faults.md", "actions"), actions_as_markdown()); }
TEST(scenario, docs_list_what_fits_where) { EXPECT_EQ(table_in("faults.md", "fits"), fits_as_markdown()); }

} // namespace
} // namespace reveille::vmm
