// vmm markdown: the tables of the docs, from the ones in the code.
#include "vmm/cli/commands.hpp"
#include "vmm/cli/doc_tables.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/keys.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/support.hpp"
#include "vmm/trace/numbers.hpp"

#include <fmt/format.h>

#include <array>

namespace reveille::vmm {
namespace {

struct DocTable {
  std::string_view name;
  std::string (*text)();
};

constexpr auto kTables = std::to_array<DocTable>({{"keys", keys_as_markdown},
                                                  {"places", places_as_markdown},
                                                  {"steps", steps_as_markdown},
                                                  {"actions", actions_as_markdown},
                                                  {"fits", fits_as_markdown},
                                                  {"states", states_as_markdown},
                                                  {"points", points_as_markdown},
                                                  {"invariants", invariants_as_markdown},
                                                  {"blame", blame_as_markdown},
                                                  {"trace-numbers", trace_numbers_as_markdown}});

} // namespace

int markdown(const Arguments &arguments) {
  for (const DocTable &table : kTables)
    if (arguments.size() == 1 && arguments.front() == table.name) {
      fmt::print("{}", table.text());
      return flushed(0);
    }
  std::string names;
  for (const DocTable &table : kTables)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", table.name);
  return usage_error("", fmt::format("markdown takes one of {}", names));
}

} // namespace reveille::vmm
