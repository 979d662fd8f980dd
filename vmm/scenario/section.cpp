#include "vmm/scenario/section.hpp"

#include "vmm/scenario/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace reveille::vmm {
namespace {

using Kind = Node::Kind;

std::vector<std::string_view> supported_names(KeySection section) {
  std::vector<std::string_view> names;
  for (const KeyRow &row : keys_of(section))
    if (row.support != Support::kLater)
      names.push_back(row.name);
  return names;
}

std::string_view wanted(KeyType type) {
  switch (type) {
  case KeyType::kText:
  case KeyType::kChoice:
    return "a string";
  case KeyType::kInteger:
    return "an integer";
  case KeyType::kNumber:
    return "a number";
  case KeyType::kBool:
    return "true or false";
  case KeyType::kCpus:
    return "a CPU number, an array of them or a cpulist string";
  case KeyType::kPerCpu:
    return "a table of CPUs";
  case KeyType::kTable:
    return "a table";
  case KeyType::kTables:
    break;
  }
  return "an array of tables";
}

bool has_type(KeyType type, const Node &value) {
  switch (type) {
  case KeyType::kText:
  case KeyType::kChoice:
    return value.kind == Kind::kText;
  case KeyType::kInteger:
    return value.kind == Kind::kInteger;
  case KeyType::kNumber:
    return value.kind == Kind::kInteger || value.kind == Kind::kFloat;
  case KeyType::kBool:
    return value.kind == Kind::kBool;
  case KeyType::kCpus:
    return value.kind == Kind::kInteger || value.kind == Kind::kText || value.kind == Kind::kArray;
  case KeyType::kPerCpu:
  case KeyType::kTable:
    return value.kind == Kind::kTable;
  case KeyType::kTables:
    break;
  }
  return value.kind == Kind::kArray &&
         std::ranges::all_of(value.children, [](const Node &n) { return n.kind == Kind::kTable; });
}

double number_of(const Node &value) {
  return value.kind == Kind::kInteger ? static_cast<double>(value.integer) : value.number;
}

/// As TOML would write it, to hold against a default or a choice.
std::string as_text(const Node &value) {
  switch (value.kind) {
  case Kind::kText:
    return value.text;
  case Kind::kBool:
    return value.boolean ? "true" : "false";
  default:
    return fmt::format("{}", number_of(value));
  }
}

std::optional<std::string> wrong_choice(const KeyRow &row, const std::string &text) {
  if (std::ranges::find(row.choices, text) != row.choices.end())
    return std::nullopt;
  if (row.type == KeyType::kInteger)
    return fmt::format("{} is not one of 1, 2, 4, 8", text);
  return fmt::format("unknown value \"{}\"{}", text, suggestion(text, row.choices));
}

} // namespace

std::string unknown_key(KeySection section, std::string_view name) {
  for (const KeyRow &row : all_keys())
    if (row.section != section && row.section != KeySection::kRoot && row.name == name)
      return fmt::format("unknown key here; it belongs to {}", header(row.section));
  return "unknown key" + suggestion(name, supported_names(section));
}

SectionReader::SectionReader(const Node *table, KeySection section, std::string path, Origin absent_at,
                             Diagnostics &diag, std::uint32_t most_cpus)
    : table_(table), section_(section), path_(std::move(path)),
      at_(table == nullptr ? absent_at : table->origin), diag_(diag), most_cpus_(most_cpus) {
  if (table_ != nullptr)
    for (const Node &value : table_->children)
      check_key(value);
  check_missing();
}

std::optional<std::string> SectionReader::wrong_with(const KeyRow &row, const Node &value) const {
  if (row.support == Support::kLater)
    return "not supported yet";
  if (!has_type(row.type, value))
    return fmt::format("expected {}, found {}", wanted(row.type), describe(value));
  if (!row.choices.empty())
    if (auto wrong = wrong_choice(row, as_text(value)))
      return wrong;
  const double most = most_of(row, most_cpus_);
  if (most > row.least && row.choices.empty()) {
    const double number = number_of(value);
    if (!(number >= row.least && number <= most)) // also what is not a number at all
      return fmt::format("{} is out of range: {}", as_text(value), values_of(row, most_cpus_));
  }
  return std::nullopt;
}

void SectionReader::check_key(const Node &value) {
  const KeyRow *row = find_key(section_, value.name);
  if (row == nullptr) {
    suggested_.push_back(nearest(value.name, supported_names(section_)));
    wrong_.push_back(value.name);
    diag_.add(value.key_origin, path_of(value.name), unknown_key(section_, value.name));
    return;
  }
  if (auto wrong = wrong_with(*row, value)) {
    wrong_.push_back(value.name);
    diag_.add(row->support == Support::kLater ? value.key_origin : value.origin, path_of(value.name), *wrong);
  }
}

void SectionReader::check_missing() {
  for (const KeyRow &row : keys_of(section_))
    if (row.required && !given(row.name) && !suggested(row.name))
      diag_.add_missing(at_, path_of(row.name), "missing; it has no default");
}

bool SectionReader::suggested(std::string_view name) const {
  return std::ranges::find(suggested_, name) != suggested_.end();
}

const Node *SectionReader::find(std::string_view name) const {
  if (table_ == nullptr || std::ranges::find(wrong_, name) != wrong_.end())
    return nullptr;
  return table_->find(name);
}

bool SectionReader::given(std::string_view name) const {
  return table_ != nullptr && table_->find(name) != nullptr;
}

std::optional<double> SectionReader::number(std::string_view name) const {
  if (const Node *value = find(name))
    return number_of(*value);
  const KeyRow *row = find_key(section_, name);
  if (given(name) || row == nullptr || row->derived || row->fallback.empty())
    return std::nullopt;
  double fallback = 0;
  const auto text = row->fallback;
  std::from_chars(text.data(), text.data() + text.size(), fallback);
  return fallback;
}

std::optional<std::uint32_t> SectionReader::integer(std::string_view name) const {
  const auto value = number(name);
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::optional<bool> SectionReader::boolean(std::string_view name) const {
  const KeyRow *row = find_key(section_, name);
  if (row == nullptr || (given(name) && find(name) == nullptr))
    return std::nullopt;
  const Node *value = find(name);
  return value != nullptr ? value->boolean : row->fallback == "true";
}

std::optional<std::size_t> SectionReader::choice(std::string_view name) const {
  const KeyRow *row = find_key(section_, name);
  if (row == nullptr || (given(name) && find(name) == nullptr))
    return std::nullopt;
  const Node *value = find(name);
  const std::string text =
      value != nullptr ? as_text(*value) : std::string(row->fallback.substr(1, row->fallback.size() - 2));
  const auto it = std::ranges::find(row->choices, text);
  if (it == row->choices.end())
    return std::nullopt;
  return static_cast<std::size_t>(it - row->choices.begin());
}

std::string SectionReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

std::string SectionReader::told_as(std::string_view name) const {
  const Node *value = table_ == nullptr ? nullptr : table_->find(name);
  return diag_.name_of(value == nullptr ? at_ : value->origin, path_of(name));
}

void SectionReader::reject(std::string_view name, std::string what) {
  const Node *value = table_ == nullptr ? nullptr : table_->find(name);
  wrong_.push_back(name);
  diag_.add(value == nullptr ? at_ : value->origin, path_of(name), std::move(what));
}

} // namespace reveille::vmm
