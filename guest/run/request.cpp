#include "guest/run/request.hpp"

#include "guest/boot/page_tables.hpp"
#include "guest/run/output.hpp"

#include <algorithm>
#include <span>

namespace reveille::guest::run {

namespace {

using abi::Request;
using boot::is_mapped;

bool is_sound(const Request &r) {
  return r.cpus >= 1 && r.cpus <= abi::kMaxCpus && r.max_cpus >= 1 && r.max_cpus <= r.cpus &&
         r.strategy <= abi::Strategy::kTree && r.cycles >= 1 && r.wait <= abi::Wait::kHalt &&
         r.stop <= abi::Stop::kNone && r.kicks <= abi::Kicks::kTogether && r.attempts >= 1 &&
         r.timeout_us >= 1 && r.slots % alignof(abi::CpuSlot) == 0 &&
         is_mapped(r.slots, r.cpus * sizeof(abi::CpuSlot));
}

bool are_sound(std::span<const abi::CpuSlot> slots) {
  return std::all_of(slots.begin(), slots.end(), [](const abi::CpuSlot &slot) {
    return slot.host.ring_capacity == 0 ||
           (slot.host.ring % alignof(abi::Event) == 0 &&
            is_mapped(slot.host.ring, std::uint64_t{slot.host.ring_capacity} * sizeof(abi::Event)));
  });
}

std::span<const abi::CpuSlot> slots_of(const Request &r) {
  return {reinterpret_cast<const abi::CpuSlot *>(r.slots), r.cpus};
}

Request from_page(std::uint64_t address) {
  has_host = true;
  if (!is_mapped(address, sizeof(abi::ControlPage)) || address % alignof(abi::ControlPage) != 0)
    refuse(abi::Refusal::kVersion);
  auto *page = reinterpret_cast<abi::ControlPage *>(address);
  if (page->magic != abi::kControlMagic)
    refuse(abi::Refusal::kVersion); // not a page to write a refusal to, either
  control_page = page;
  if (page->version != abi::kAbiVersion || page->size != sizeof(abi::ControlPage) ||
      !is_sound(page->request) || !are_sound(slots_of(page->request)))
    refuse(abi::Refusal::kVersion);
  return page->request;
}

/// A word that is not one of the choices counts as the default: there is nobody to complain to.
Request from_words(const boot::CommandLine &words) {
  Request r{};
  r.cpus = abi::kMaxCpus;
  r.max_cpus = abi::kMaxCpus;
  const std::string_view strategy = words.value("reveille.strategy");
  r.strategy = strategy == "serial"  ? abi::Strategy::kSerial
               : strategy == "split" ? abi::Strategy::kSplit
               : strategy == "tree"  ? abi::Strategy::kTree
                                     : abi::Strategy::kParallel;
  r.wait = words.value("reveille.wait") == "spin" ? abi::Wait::kSpin : abi::Wait::kHalt;
  r.stop = abi::Stop::kInit;
  r.kicks = abi::Kicks::kTogether;
  r.window =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(words.number("reveille.window", 0), abi::kMaxCpus));
  r.attempts = 1;
  constexpr std::uint32_t kMostCycles = 100'000;
  r.cycles = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(words.number("reveille.cycles", 1), 1, kMostCycles));
  r.primary_threads_first = words.number("reveille.primary_threads_first", 0) != 0 ? 1 : 0;
  constexpr std::uint64_t kUsualTimeoutMs = 10'000;
  constexpr std::uint64_t kLongestTimeoutMs = 600'000;
  r.timeout_us =
      std::clamp<std::uint64_t>(words.number("reveille.timeout_ms", kUsualTimeoutMs), 1, kLongestTimeoutMs) *
      1000;
  return r;
}

} // namespace

Request read_request(const boot::CommandLine &words) {
  constexpr std::string_view kControl = "reveille.control";
  return words.value(kControl).empty() ? from_words(words) : from_page(words.number(kControl, 0));
}

void reserve_shared(boot::MemoryMap &memory) {
  if (control_page == nullptr)
    return;
  const Request &r = control_page->request;
  memory.reserve(reinterpret_cast<std::uint64_t>(control_page), sizeof(abi::ControlPage));
  memory.reserve(r.slots, r.cpus * sizeof(abi::CpuSlot));
  for (const abi::CpuSlot &slot : slots_of(r))
    if (slot.host.ring_capacity != 0)
      memory.reserve(slot.host.ring, std::uint64_t{slot.host.ring_capacity} * sizeof(abi::Event));
}

} // namespace reveille::guest::run
