#include "vmm/doctor/json.hpp"

#include "vmm/base/error.hpp"
#include "vmm/report/json.hpp"

#include <nlohmann/json.hpp>

namespace reveille::vmm {

std::string examination_json(const Examination &examination) {
  using Json = nlohmann::ordered_json;
  Json probes = Json::array();
  for (const Diagnosis &of : examination.diagnoses)
    probes.push_back({{"name", of.name},
                      {"standing", name(of.finding)},
                      {"needed", of.needed},
                      {"found", of.finding ? Json(of.finding->found) : Json(nullptr)},
                      {"touches", of.touches},
                      {"mend", of.mend.empty() ? Json(nullptr) : Json(of.mend)}});
  const bool works = examination.works();
  const auto status = works ? ExitStatus::kAsExpected : ExitStatus::kUnsupported;
  const Json all = {{"schema", 1}, {"exit", static_cast<int>(status)}, {"works", works}, {"probes", probes}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

} // namespace reveille::vmm
