#include "vmm/lab/kept.hpp"

#include "vmm/base/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace reveille::vmm {

namespace {

/// More than any of it can be; park stacks of 1024 CPUs are 4 MiB.
constexpr std::uint64_t kMostBytes = 8ULL << 20;

struct Row {
  abi::Keep what;
  std::string_view name;
  bool is_constant;
};
constexpr Row kRows[] = {
    {abi::Keep::kTrampolines, "the trampoline pages", true},
    {abi::Keep::kIdMap, "the entries of the ID map", true},
    {abi::Keep::kCode, "the instructions", true},
    {abi::Keep::kParkStacks, "the park stacks", false},
};
static_assert(std::size(kRows) == static_cast<std::size_t>(abi::Keep::kCount));

std::uint64_t digest_of(std::span<const std::byte> bytes) {
  Digest digest;
  for (const std::byte byte : bytes)
    digest.add(static_cast<std::uint64_t>(byte));
  return digest.value();
}

} // namespace

void KeptWatch::begin() {
  if (begun_)
    return;
  begun_ = true;
  const KeptRanges ranges = machine_.control().kept();
  for (const Row &row : kRows) {
    const auto &range = ranges[static_cast<std::size_t>(row.what)];
    if (row.what == abi::Keep::kParkStacks && machine_.roster().requested() <= 1)
      continue; // no AP, no stack
    const bool is_there =
        range && range->size() <= kMostBytes && machine_.memory().bytes(range->begin, range->size());
    if (is_there)
      add(row.what, *range);
    else if (gap_.empty())
      gap_ = fmt::format("the guest does not say where {} are", row.name);
  }
}

void KeptWatch::add(abi::Keep what, const GuestRange &range) {
  const Row &row = kRows[static_cast<std::size_t>(what)];
  Part part;
  part.memory.name = row.name;
  part.memory.begin = range.begin;
  part.memory.size = range.size();
  part.memory.is_constant = row.is_constant;
  if (row.is_constant) {
    const auto bytes = *machine_.memory().bytes(range.begin, range.size());
    part.bytes.assign(bytes.begin(), bytes.end());
    part.memory.before = digest_of(part.bytes);
  }
  parts_.push_back(std::move(part));
}

void KeptWatch::observe(Observation &seen) const {
  seen.kept_gap = !begun_ && seen.zero_tsc != 0 ? "the guest has not called at time zero" : gap_;
  for (const Part &part : parts_) {
    KeptMemory memory = part.memory;
    if (memory.is_constant) {
      const auto now = *machine_.memory().bytes(memory.begin, memory.size);
      memory.after = digest_of(now);
      const auto differs = std::mismatch(part.bytes.begin(), part.bytes.end(), now.begin()).first;
      if (differs != part.bytes.end())
        memory.changed_at = memory.begin + static_cast<std::uint64_t>(differs - part.bytes.begin());
    }
    seen.kept.push_back(std::move(memory));
  }
}

} // namespace reveille::vmm
