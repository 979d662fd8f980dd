#include "vmm/scenario/document.hpp"

#include "vmm/base/printable.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

/// The library nests one table per part of a dotted key, without a limit of its own, and
/// takes them down again recursively.
constexpr std::ptrdiff_t kMaxDots = 256;

Origin origin_of(const toml::source_region &region) { return {region.begin.line, region.begin.column, -1}; }

Node convert(const toml::node &from);

void convert_table(const toml::table &from, Node &to) {
  for (const auto &[key, value] : from) {
    Node child = convert(value);
    child.name = std::string(key.str());
    child.key_origin = origin_of(key.source());
    to.children.push_back(std::move(child));
  }
  std::ranges::stable_sort(to.children, [](const Node &a, const Node &b) {
    return std::pair(a.key_origin.line, a.key_origin.column) <
           std::pair(b.key_origin.line, b.key_origin.column);
  });
}

Node convert(const toml::node &from) {
  Node to;
  to.origin = origin_of(from.source());
  if (const auto *table = from.as_table()) {
    convert_table(*table, to);
  } else if (const auto *array = from.as_array()) {
    to.kind = Node::Kind::kArray;
    for (const toml::node &element : *array)
      to.children.push_back(convert(element));
  } else if (const auto *text = from.as_string()) {
    to.kind = Node::Kind::kText;
    to.text = text->get();
  } else if (const auto *integer = from.as_integer()) {
    to.kind = Node::Kind::kInteger;
    to.integer = integer->get();
  } else if (const auto *number = from.as_floating_point()) {
    to.kind = Node::Kind::kFloat;
    to.number = number->get();
  } else if (const auto *boolean = from.as_boolean()) {
    to.kind = Node::Kind::kBool;
    to.boolean = boolean->get();
  } else {
    to.kind = Node::Kind::kTime;
  }
  return to;
}

std::ptrdiff_t line_with_too_many_dots(std::string_view text) {
  std::ptrdiff_t line = 1;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('\n'));
    if (std::ranges::count(one, '.') > kMaxDots)
      return line;
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    ++line;
  }
  return 0;
}

Result<toml::table> parse(std::string_view text, std::string_view file) {
  if (const auto line = line_with_too_many_dots(text); line != 0)
    return fail(ExitStatus::kUsage,
                fmt::format("{}:{}:1: more than {} dots in one line", file, line, kMaxDots));
  try {
    return toml::parse(text);
  } catch (const toml::parse_error &error) {
    const Origin at = origin_of(error.source());
    return fail(ExitStatus::kUsage, fmt::format("{}:{}:{}: not valid TOML: {}", file, at.line, at.column,
                                                printable(error.description())));
  }
}

} // namespace

const Node *Node::find(std::string_view key) const {
  const auto it = std::ranges::find(children, key, &Node::name);
  return it == children.end() ? nullptr : &*it;
}

Node *Node::find(std::string_view key) { return const_cast<Node *>(std::as_const(*this).find(key)); }

std::string describe(const Node &node) {
  switch (node.kind) {
  case Node::Kind::kText:
    return fmt::format("the string \"{}\"", node.text);
  case Node::Kind::kInteger:
    return fmt::format("the integer {}", node.integer);
  case Node::Kind::kFloat:
    return fmt::format("the fraction {}", node.number);
  case Node::Kind::kBool:
    return node.boolean ? "true" : "false";
  case Node::Kind::kTime:
    return "a date or time";
  case Node::Kind::kArray:
    return "an array";
  case Node::Kind::kTable:
    break;
  }
  return "a table";
}

Result<Node> parse_document(std::string_view text, std::string_view file) {
  return parse(text, file).map([](const toml::table &table) {
    Node root = convert(table);
    root.origin = {1, 1, -1};
    return root;
  });
}

Result<Node> parse_set_value(std::string_view text) {
  if (!is_utf8(text))
    return fail(ExitStatus::kUsage, fmt::format("\"{}\" is not UTF-8", printable(text)));
  auto table = parse(fmt::format("v = {}", text), "value");
  if (table && table->size() == 1)
    return convert(*table->get("v"));
  if (text.empty() || text.find_first_of("\"'[]{}\n\r") != std::string_view::npos)
    return fail(ExitStatus::kUsage,
                fmt::format("\"{}\" is neither a TOML value nor a bare word", printable(text)));
  Node word;
  word.kind = Node::Kind::kText;
  word.text = text;
  return word;
}

Result<std::vector<std::string>> parse_set_key(std::string_view text) {
  auto table = parse(fmt::format("{} = 0", text), "key");
  if (!table || text.find_first_of("\n#=") != std::string_view::npos)
    return fail(ExitStatus::kUsage,
                fmt::format("\"{}\" is not a key like machine.apic or fault.0.cpu", printable(text)));
  std::vector<std::string> parts;
  for (const toml::table *level = &*table; level != nullptr && level->size() == 1;) {
    parts.emplace_back(level->begin()->first.str());
    level = level->begin()->second.as_table();
  }
  return parts;
}

} // namespace reveille::vmm
