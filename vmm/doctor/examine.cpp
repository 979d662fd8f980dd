#include "vmm/doctor/examine.hpp"

#include "vmm/doctor/checks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

/// Opening it checks what the lab cannot do without. What it complains about ends in what to do.
Diagnosis diagnose_opening(const Result<Kvm> &kvm, const std::string &device) {
  Diagnosis of{.name = device, .finding = {}, .needed = true, .touches = "every run on KVM", .mend = {}};
  if (kvm) {
    of.finding = {Standing::kWorks, fmt::format("opened; KVM API {}", kvm->api_version())};
    return of;
  }
  const std::string &message = kvm.error().message;
  const std::size_t end = std::min(message.find("; "), message.size());
  of.finding = {Standing::kLacks, message.substr(0, end)};
  of.mend = message.substr(std::min(end + 2, message.size()));
  return of;
}

Diagnosis diagnose(const Check &check, const Result<Kvm> &kvm) {
  Diagnosis of{.name = std::string(check.name),
               .finding = {},
               .needed = check.needed,
               .touches = std::string(check.touches),
               .mend = {}};
  if (check.on_host != nullptr)
    of.finding = check.on_host();
  else if (kvm)
    of.finding = check.on_kvm(*kvm);
  if (of.finding && of.finding->standing != Standing::kWorks)
    of.mend = check.mend;
  return of;
}

} // namespace

bool Examination::works() const {
  return std::ranges::all_of(diagnoses, [](const Diagnosis &of) {
    return !of.needed || (of.finding && of.finding->standing != Standing::kLacks);
  });
}

Examination examine(const std::string &device) {
  const auto kvm = Kvm::open(device);
  Examination examination;
  examination.diagnoses.push_back(diagnose_opening(kvm, device));
  for (const Check &check : all_checks())
    examination.diagnoses.push_back(diagnose(check, kvm));
  if (kvm)
    examination.host = host_info(*kvm);
  return examination;
}

std::string_view name(const std::optional<Finding> &finding) {
  if (!finding)
    return "not probed";
  switch (finding->standing) {
  case Standing::kWorks:
    return "works";
  case Standing::kPartly:
    return "partly";
  case Standing::kLacks:
    break;
  }
  return "lacks";
}

} // namespace reveille::vmm
