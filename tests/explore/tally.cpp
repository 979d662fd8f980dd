#include "tests/explore/tally.hpp"

#include "vmm/scenario/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace reveille::explore {

namespace {

/// Sentences that differ only in numbers are about the same thing.
std::string kind_of(const vmm::Scenario &scenario, const std::vector<std::string> &wrong) {
  std::string kind = fmt::format("{} ", static_cast<unsigned>(scenario.bringup.strategy));
  for (const std::string &sentence : wrong)
    std::ranges::copy_if(sentence, std::back_inserter(kind),
                         [](unsigned char c) { return std::isdigit(c) == 0 && c != '.'; });
  return kind;
}

} // namespace

void Tally::add(std::size_t number, const vmm::Scenario &scenario, const Ran &ran,
                const std::vector<std::string> &wrong) {
  ++runs_;
  for (const vmm::InvariantVerdict &invariant : ran.verdict.invariants) {
    Counts &counts = invariants_[invariant.name];
    ++(!invariant.holds ? counts.not_judged : *invariant.holds ? counts.held : counts.broken);
  }
  for (const vmm::CpuVerdict &cpu : ran.verdict.cpus)
    ++ends_[outcome(cpu).substr(0, outcome(cpu).find('@'))];
  all_fired_ += std::ranges::all_of(ran.seen.faults, [&](const vmm::FaultAccount &account) {
    return account.fired == scenario.faults[account.fault].count;
  });
  if (wrong.empty())
    return;
  ++failed_;
  keep(kind_of(scenario, wrong), {number, scenario, wrong});
}

void Tally::keep(const std::string &kind, const Failure &failure) {
  const auto [it, fresh] = failures_.try_emplace(kind, failure);
  if (fresh)
    return;
  const std::uint64_t times = it->second.times + failure.times;
  if (failure.number < it->second.number)
    it->second = failure;
  it->second.times = times;
}

void Tally::add(const Tally &other) {
  runs_ += other.runs_;
  failed_ += other.failed_;
  all_fired_ += other.all_fired_;
  for (const auto &[name, counts] : other.invariants_) {
    invariants_[name].held += counts.held;
    invariants_[name].broken += counts.broken;
    invariants_[name].not_judged += counts.not_judged;
  }
  for (const auto &[end, cpus] : other.ends_)
    ends_[end] += cpus;
  for (const auto &[kind, failure] : other.failures_)
    keep(kind, failure);
}

std::string Tally::table() const {
  std::string text =
      fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}\n", "invariant", "judged", "held", "broken", "not judged");
  for (const std::string_view name : vmm::invariant_names()) {
    const auto it = invariants_.find(name);
    const Counts counts = it == invariants_.end() ? Counts{} : it->second;
    text += fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}\n", name, counts.held + counts.broken, counts.held,
                        counts.broken, counts.not_judged);
  }
  return text;
}

std::string Tally::summary() const {
  std::string text =
      fmt::format("in {} of {} runs every fault fired as often as it should; CPUs:", all_fired_, runs_);
  for (const auto &[end, cpus] : ends_)
    text += fmt::format(" {} {},", cpus, end);
  text.back() = '\n';
  return text;
}

std::string Tally::write_failures(const std::string &folder, const std::string &name) const {
  std::string text;
  std::filesystem::create_directories(folder);
  unsigned count = 0;
  for (const auto &[kind, failure] : failures_) {
    const std::string path = fmt::format("{}/{}-{}.toml", folder, name, ++count);
    write_file(path, to_file(failure.scenario, failure.wrong));
    text += fmt::format("{} ({} such runs)\n", path, failure.times);
    for (const std::string &sentence : failure.wrong)
      text += "  " + sentence + "\n";
  }
  return text;
}

std::string to_file(const vmm::Scenario &scenario, const std::vector<std::string> &wrong) {
  std::string text = "# vmm run --backend sim repeats it. What is wrong with the run:\n";
  for (const std::string &sentence : wrong)
    text += "# - " + sentence + "\n";
  return text + "\n" + vmm::to_toml(scenario);
}

void write_file(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
    throw std::runtime_error("cannot write " + path);
}

} // namespace reveille::explore
