// From an instruction's address to something that a person can read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

/// Reads an ELF file's symbol table and DWARF lines, when it is first asked. Missing or broken ones make its
/// answers poorer, never wrong and never an error. Any thread may ask; asking is serialised inside.
class Symbolizer {
public:
  /// Copies `file`, an ELF file's bytes.
  explicit Symbolizer(std::span<const std::byte> file);
  ~Symbolizer();
  Symbolizer(Symbolizer &&) noexcept;
  Symbolizer &operator=(Symbolizer &&) noexcept;

  /// "core::ApSide::wait+0x12 (core/ap.hpp:88)", "0x8012" when nothing is known of `address`.
  [[nodiscard]] std::string describe(std::uint64_t address) const;

  /// The address of a symbol by its linkage name, or by the name that describe() prints.
  /// Nothing when it is not there or more than one function has that name.
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view symbol) const;

private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

/// A linkage name as reports print it: demangled, without the project's own namespace,
/// template arguments and parameters.
[[nodiscard]] std::string readable_name(const std::string &linkage_name);

} // namespace reveille::vmm
