#include "vmm/scenario/overrides.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/scenario/keys.hpp"
#include "vmm/scenario/section.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace reveille::vmm {
namespace {

Node make(Node::Kind kind, std::string name, Origin origin) {
  Node node;
  node.kind = kind;
  node.name = std::move(name);
  node.key_origin = node.origin = origin;
  return node;
}

void stamp(Node &node, Origin origin) {
  node.key_origin = node.origin = origin;
  for (Node &child : node.children)
    stamp(child, origin);
}

/// The element of an array that a part of a key names. One beyond the last makes a new table.
Result<Node *> element(Node &array, const std::string &part, const std::string &key, Origin origin) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc{} || end != part.data() + part.size() || index > array.children.size())
    return fail(ExitStatus::kUsage,
                fmt::format("--set {}: there is no \"{}\": {} has {} element{}", key, part, array.name,
                            array.children.size(), array.children.size() == 1 ? "" : "s"));
  if (index == array.children.size())
    array.children.push_back(make(Node::Kind::kTable, "", origin));
  return &array.children[index];
}

/// The node that a part of a key leads to. What is missing on the way is made.
Result<Node *> descend(Node &from, const std::string &part, const std::string &key, Origin origin) {
  if (from.kind == Node::Kind::kArray)
    return element(from, part, key, origin);
  if (from.kind != Node::Kind::kTable)
    return fail(ExitStatus::kUsage, fmt::format("--set {}: {} is {}, and has no \"{}\" in it", key, from.name,
                                                describe(from), part));
  if (Node *child = from.find(part))
    return child;
  // [[fault]] and [[sim.latency]] are the arrays of tables that there are.
  const bool is_array = part == "fault" || part == "latency";
  const auto kind = is_array ? Node::Kind::kArray : Node::Kind::kTable;
  from.children.push_back(make(kind, part, origin));
  return &from.children.back();
}

/// A --set taken apart.
struct Change {
  std::string key;
  std::vector<std::string> parts; ///< of the key
  Node value;
};

Result<Change> read_change(const std::string &set) {
  const std::size_t equals = set.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ExitStatus::kUsage,
                fmt::format("--set {}: expected key=value, as in bringup.timeout_ms=300", set));
  Change change{.key = set.substr(0, equals), .parts = {}, .value = {}};
  auto parts = parse_set_key(change.key);
  if (!parts)
    return fail(ExitStatus::kUsage, fmt::format("--set {}: {}", set, parts.error().message));
  auto value = parse_set_value(set.substr(equals + 1));
  if (!value)
    return fail(ExitStatus::kUsage, fmt::format("--set {}: {}", change.key, value.error().message));
  change.parts = std::move(*parts);
  change.value = std::move(*value);
  return change;
}

Result<std::string> apply(Node &root, const std::string &set, int index) {
  auto change = read_change(set);
  if (!change)
    return tl::unexpected(change.error());
  const Origin origin{0, 0, index};
  Node *node = &root;
  for (const std::string &part : change->parts) {
    const auto next = descend(*node, part, change->key, origin);
    if (!next)
      return tl::unexpected(next.error());
    node = *next;
  }
  change->value.name = node->name;
  *node = std::move(change->value);
  stamp(*node, origin);
  return change->key;
}

/// What is wrong with a key in every scenario, with the part of it that is.
struct WrongKey {
  std::string path;
  std::string what;
};

std::optional<WrongKey> wrong_in_all(const std::vector<std::string> &parts) {
  KeySection section = KeySection::kRoot;
  std::string path;
  std::string table; // the same without the numbers
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view dot = path.empty() ? "" : ".";
    path += fmt::format("{}{}", dot, parts[i]);
    table += fmt::format("{}{}", dot, parts[i]);
    const KeyRow *row = find_key(section, parts[i]);
    if (row == nullptr)
      return WrongKey{path, unknown_key(section, parts[i])};
    if (row->support == Support::kLater)
      return WrongKey{path, "not supported yet"};
    const auto inner = section_called(table);
    if (!inner)
      return std::nullopt;
    section = *inner;
    if (row->type == KeyType::kTables && ++i < parts.size()) // which numbers there are a file says
      path += "." + parts[i];
  }
  return std::nullopt;
}

/// Keys and values are shown as they were given.
Error shown(const Error &error) { return {error.status, printable(error.message)}; }

} // namespace

Result<std::vector<std::string>> apply_overrides(Node &root, const std::vector<std::string> &sets) {
  std::vector<std::string> keys;
  for (const std::string &set : sets) {
    auto key = apply(root, set, static_cast<int>(keys.size()));
    if (!key)
      return tl::unexpected(shown(key.error()));
    keys.push_back(std::move(*key));
  }
  return keys;
}

Result<void> check_overrides(const std::vector<std::string> &sets) {
  for (const std::string &set : sets) {
    const auto change = read_change(set);
    if (!change)
      return tl::unexpected(shown(change.error()));
    if (const auto wrong = wrong_in_all(change->parts)) {
      const std::string where = wrong->path == change->key ? "" : wrong->path + ": ";
      return fail(ExitStatus::kUsage,
                  printable(fmt::format("--set {}: {}{}", change->key, where, wrong->what)));
    }
  }
  return {};
}

} // namespace reveille::vmm
