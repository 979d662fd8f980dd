// Results on their way to the one file that they end up in.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/fd.hpp"
#include "vmm/base/mapping.hpp"

#include <cstddef>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace reveille::vmm {

/// Keeps texts in a file without a name, so that a thousand results of a thousand CPUs each
/// do not have to fit into memory.
class Spool {
public:
  /// In the folder for temporary files. Errors name it, and have status kBroken.
  [[nodiscard]] static Result<Spool> create();

  /// Keeps a text as the number `order`, which is used once.
  [[nodiscard]] Result<void> add(std::size_t order, std::string_view text);

  /// All texts in the order of their numbers. They live as long as the spool, and until the
  /// next add().
  [[nodiscard]] Result<std::vector<std::string_view>> texts();

private:
  struct Piece {
    std::size_t at;
    std::size_t length;
  };

  explicit Spool(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
  Mapping mapping_;
  std::size_t size_ = 0; ///< bytes
  std::map<std::size_t, Piece> pieces_;
};

} // namespace reveille::vmm
