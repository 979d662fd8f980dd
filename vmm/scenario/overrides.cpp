#include "vmm/scenario/overrides.hpp"

#include <fmt/format.h>

#include <charconv>

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

Result<std::string> apply(Node &root, const std::string &set, int index) {
  const std::size_t equals = set.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ExitStatus::kUsage,
                fmt::format("--set {}: expected key=value, as in bringup.timeout_ms=300", set));
  const std::string key = set.substr(0, equals);
  const auto parts = parse_set_key(key);
  if (!parts)
    return fail(ExitStatus::kUsage, fmt::format("--set {}: {}", set, parts.error().message));
  auto value = parse_set_value(set.substr(equals + 1));
  if (!value)
    return fail(ExitStatus::kUsage, fmt::format("--set {}: {}", key, value.error().message));

  const Origin origin{0, 0, index};
  Node *node = &root;
  for (const std::string &part : *parts) {
    const auto next = descend(*node, part, key, origin);
    if (!next)
      return tl::unexpected(next.error());
    node = *next;
  }
  value->name = node->name;
  *node = std::move(*value);
  stamp(*node, origin);
  return key;
}

} // namespace

Result<std::vector<std::string>> apply_overrides(Node &root, const std::vector<std::string> &sets) {
  std::vector<std::string> keys;
  for (const std::string &set : sets) {
    auto key = apply(root, set, static_cast<int>(keys.size()));
    if (!key)
      return tl::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return keys;
}

} // namespace reveille::vmm
