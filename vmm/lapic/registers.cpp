#include "vmm/lapic/registers.hpp"

#include <algorithm>
#include <array>

namespace reveille::vmm::lapic {
namespace {

using enum Register;

constexpr Access kNone{false, false};
constexpr Access kRead{true, false};
constexpr Access kWrite{false, true};
constexpr Access kBoth{true, true};
constexpr std::uint32_t kAll = 0xffffffff;
constexpr std::uint32_t kPlainLvt = Lvt::kVector | Lvt::kMask;
constexpr std::uint32_t kModedLvt = kPlainLvt | Lvt::kDeliveryMode;
constexpr std::uint32_t kPinLvt = kModedLvt | Lvt::kPolarity | Lvt::kTrigger;
constexpr std::uint32_t kStatus = Lvt::kDeliveryStatus;
constexpr std::uint32_t kIcrBits = 0x000ccfff; // 19:18, 15:14, 11:0

constexpr auto kRows = std::to_array<RegisterRow>({
    {kId, kRead, kRead, 0, kAll},
    {kVersion, kRead, kRead, 0, kAll},
    {kTaskPriority, kBoth, kBoth, 0xff, 0},
    {kArbitrationPriority, kRead, kNone, 0, kAll},
    {kProcessorPriority, kRead, kRead, 0, kAll},
    {kEoi, kWrite, kWrite, 0, 0},
    {kRemoteRead, kRead, kNone, 0, kAll},
    {kLogicalDestination, kBoth, kRead, 0xff000000, 0},
    {kDestinationFormat, kBoth, kNone, 0xf0000000, 0},
    {kSpuriousVector, kBoth, kBoth, Spurious::kVector | Spurious::kEnable | Spurious::kNoFocus, 0},
    {kErrorStatus, kBoth, kBoth, 0, 0},
    {kIcrLow, kBoth, kBoth, kIcrBits, 0},
    {kIcrHigh, kBoth, kNone, 0xff000000, 0},
    {kLvtTimer, kBoth, kBoth, kPlainLvt | Lvt::kTimerMode, kStatus},
    {kLvtThermal, kBoth, kBoth, kModedLvt, kStatus},
    {kLvtPerformance, kBoth, kBoth, kModedLvt, kStatus},
    {kLvtLint0, kBoth, kBoth, kPinLvt, kStatus | Lvt::kRemoteIrr},
    {kLvtLint1, kBoth, kBoth, kPinLvt, kStatus | Lvt::kRemoteIrr},
    {kLvtError, kBoth, kBoth, kPlainLvt, kStatus},
    {kInitialCount, kBoth, kBoth, kAll, 0},
    {kCurrentCount, kRead, kRead, 0, kAll},
    {kDivideConfiguration, kBoth, kBoth, 0xb, 0},
    {kSelfIpi, kNone, kWrite, 0xff, 0},
});

/// All of the three sets of eight are alike.
constexpr RegisterRow kVectorRow{kInService, kRead, kRead, 0, kAll};

} // namespace

const RegisterRow *find_register(std::uint32_t offset) {
  constexpr auto kVectorsEnd = static_cast<std::uint32_t>(kErrorStatus);
  if (offset >= static_cast<std::uint32_t>(kInService) && offset < kVectorsEnd)
    return &kVectorRow;
  const auto *row = std::find_if(kRows.begin(), kRows.end(), [&](const RegisterRow &r) {
    return static_cast<std::uint32_t>(r.reg) == offset;
  });
  return row != kRows.end() ? row : nullptr;
}

} // namespace reveille::vmm::lapic
