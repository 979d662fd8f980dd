#include "vmm/scenario/load.hpp"

#include "vmm/scenario/build.hpp"
#include "vmm/scenario/overrides.hpp"
#include "vmm/scenario/read_file.hpp"
#include "vmm/scenario/section.hpp"
#include "vmm/scenario/support.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMaxTitle = 120; // characters

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// UTF-8 characters: every byte that does not continue one.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string read_title(SectionReader &keys, const std::string &path) {
  const Node *title = keys.find("title");
  if (title == nullptr)
    return default_title(path);
  if (characters(title->text) > kMaxTitle)
    keys.reject("title", fmt::format("has {} characters; at most {}", characters(title->text), kMaxTitle));
  else if (std::ranges::any_of(title->text, is_control))
    keys.reject("title", "has a control character in it");
  return title->text;
}

} // namespace

std::string default_title(const std::string &path) {
  std::string title = path == "-" ? display_name(path) : path.substr(path.rfind('/') + 1);
  std::ranges::replace_if(
      title, [](char c) { return is_control(c) || static_cast<unsigned char>(c) >= 0x80; }, '?');
  title.resize(std::min(title.size(), kMaxTitle));
  return title;
}

Result<Scenario> parse_scenario(std::string_view text, const std::string &path, const LoadOptions &options) {
  auto root = parse_document(text, display_name(path));
  if (!root)
    return tl::unexpected(root.error());
  auto set_keys = apply_overrides(*root, options.overrides);
  if (!set_keys)
    return tl::unexpected(set_keys.error());

  Diagnostics diag(display_name(path), std::move(*set_keys));
  SectionReader keys(&*root, KeySection::kRoot, "", root->origin, diag);
  Scenario scenario;
  scenario.file = path;
  scenario.title = read_title(keys, path);
  scenario.backend = options.backend;
  scenario.seed = options.seed.value_or(0);
  scenario.overrides = options.overrides;
  const Limits limits = build_machine(keys.find("machine"), keys.find("bringup"), scenario, diag);
  scenario.sim = build_sim(keys.find("sim"), limits, diag);
  scenario.faults = build_faults(keys.find("fault"), limits, scenario.seed, diag);
  scenario.expect = build_expect(keys.find("expect"), limits, diag);
  if (!diag.empty())
    return tl::unexpected(diag.error());
  if (auto supported = check_support(scenario); !supported)
    return tl::unexpected(supported.error());
  return scenario;
}

Result<Scenario> load_scenario(const std::string &path, const LoadOptions &options) {
  const auto text = read_text(path);
  if (!text)
    return tl::unexpected(text.error());
  return parse_scenario(*text, path, options);
}

} // namespace reveille::vmm
