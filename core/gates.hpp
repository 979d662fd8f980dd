// The gates: which APs wait before a section of steps, and how many are in each.
#pragma once

#include "core/cpu_list.hpp"
#include "core/protocol/points.hpp"

#include <array>
#include <cstddef>

namespace reveille::core {

using protocol::Section;

class Gates {
public:
  /// The queue before a section.
  [[nodiscard]] CpuList &before(Section section) { return waiting_[static_cast<std::size_t>(section)]; }

  [[nodiscard]] bool is_anybody_in(Section section) const {
    return inside_[static_cast<std::size_t>(section)] != 0;
  }

  /// A CPU that is in the section `in`, or in none, goes into `section`, or out.
  void move(Section &in, Section section) {
    if (in != Section::kNone)
      --inside_[static_cast<std::size_t>(in)];
    in = section;
    if (in != Section::kNone)
      ++inside_[static_cast<std::size_t>(in)];
  }

private:
  std::array<CpuList, 4> waiting_;
  std::array<unsigned, 4> inside_{};
};

} // namespace reveille::core
