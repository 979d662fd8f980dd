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
    {LinkKind::kEarlier, "earlier", "the cycles before the last"},
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
    {LinkKind::kControl, "control", "the control CPU, busy"},
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

const Row &row(LinkKind kind) { return kRows.at(static_cast<std::size_t>(kind)); }

void add(Blame &blame, std::string_view name, std::string_view about, double us) {
  if (!is_credible(us) || us == 0)
    return;
  blame.parts.push_back({name, about, us});
  blame.total_us += us;
}

void sort(Blame &blame) { std::ranges::stable_sort(blame.parts, std::greater<>{}, &BlamePart::us); }

} // namespace

std::string_view name(LinkKind kind) { return row(kind).name; }

Blame blame_of(const Chain &chain) {
  std::array<double, kLinkKinds> us{};
  for (const ChainLink &link : chain.links)
    us.at(static_cast<std::size_t>(link.kind)) += link.us();
  Blame blame;
  for (const Row &r : kRows)
    add(blame, r.name, r.about, us.at(static_cast<std::size_t>(r.kind)));
  sort(blame);
  return blame;
}

Blame blame_of(const Chain &chain, const Observation &seen) {
  Blame blame = blame_of(chain);
  add(blame, "create", "creating the machine", seen.create_us);
  add(blame, "boot", "the guest, up to time zero", seen.boot_us);
  add(blame, "after", "seeing faults and threads through", std::max(seen.total_us - blame.total_us, 0.0));
  sort(blame);
  return blame;
}

} // namespace reveille::vmm
