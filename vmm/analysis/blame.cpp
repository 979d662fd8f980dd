#include "vmm/analysis/blame.hpp"

#include "vmm/analysis/credible.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace reveille::vmm {
namespace {

struct Row {
  LinkKind kind;
  std::string_view name;
  std::string_view about;
};

constexpr std::array<Row, kLinkKinds> kRows = {{
    {LinkKind::kEarlier, "earlier", "earlier cycles, whose events are not kept"},
    {LinkKind::kPrepare, "prepare", "PREPARE steps, on the control CPU"},
    {LinkKind::kKick, "kick", "sending INIT and SIPI"},
    {LinkKind::kAlive, "alive", "from the kick to alive"},
    {LinkKind::kStarting, "starting", "STARTING steps"},
    {LinkKind::kTsc, "tsc", "the TSC rendezvous"},
    {LinkKind::kOnline, "online", "going online"},
    {LinkKind::kIdle, "idle", "entering the idle loop"},
    {LinkKind::kActive, "active", "ONLINE steps"},
    {LinkKind::kRelease, "release", "waits for a release"},
    {LinkKind::kResume, "resume", "from a release to seeing it"},
    {LinkKind::kControl, "control", "the control CPU, busy: serving arrivals, releasing, giving up"},
    {LinkKind::kDelegate, "delegate", "until a control CPU took up what it was left"},
    {LinkKind::kReturn, "return", "until CPU 0 saw what it was given back"},
    {LinkKind::kLease, "lease", "leases of control CPUs that had stopped"},
    {LinkKind::kTimeout, "timeout", "waiting for CPUs that did not come"},
    {LinkKind::kUndo, "undo", "undoing steps"},
    {LinkKind::kHeld, "held", "held by faults"},
    {LinkKind::kUnknown, "unknown", "the events do not tell"},
}};

consteval bool rows_are_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].kind) != i || kRows[i].name.empty())
      return false;
  return true;
}
static_assert(rows_are_in_order());

/// What is no link of a chain.
constexpr BlamePart kCreate{"create", "creating the machine"};
constexpr BlamePart kBoot{"boot", "the guest, up to time zero"};
constexpr BlamePart kAfter{"after", "what came after the end of the chain: faults and threads, seen through"};

const Row &row(LinkKind kind) { return kRows.at(static_cast<std::size_t>(kind)); }

void add(Blame &blame, BlamePart part, double us) {
  if (!is_credible(us) || us == 0)
    return;
  part.us = us;
  blame.parts.push_back(part);
  blame.total_us += us;
}

void sort(Blame &blame) { std::ranges::stable_sort(blame.parts, std::greater<>{}, &BlamePart::us); }

} // namespace

std::vector<BlamePart> all_blame_parts() {
  std::vector<BlamePart> parts = {kCreate, kBoot};
  for (const Row &r : kRows)
    parts.push_back({r.name, r.about});
  parts.push_back(kAfter);
  return parts;
}

std::string_view name(LinkKind kind) { return row(kind).name; }

Blame blame_of(const Chain &chain) {
  std::array<double, kLinkKinds> us{};
  for (const ChainLink &link : chain.links)
    us.at(static_cast<std::size_t>(link.kind)) += link.us();
  Blame blame;
  for (const Row &r : kRows)
    add(blame, {r.name, r.about}, us.at(static_cast<std::size_t>(r.kind)));
  sort(blame);
  return blame;
}

Blame blame_of(const Chain &chain, const Observation &seen) {
  Blame blame = blame_of(chain);
  add(blame, kCreate, seen.create_us);
  add(blame, kBoot, seen.boot_us);
  add(blame, kAfter, std::max(seen.total_us - blame.total_us, 0.0));
  sort(blame);
  return blame;
}

} // namespace reveille::vmm
