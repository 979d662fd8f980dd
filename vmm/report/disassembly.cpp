#include "vmm/report/disassembly.hpp"

#include <capstone/capstone.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

namespace reveille::vmm {
namespace {

constexpr std::size_t kLongest = 15; ///< bytes of an instruction, SDM 2, 2.3.11

using Bytes = std::span<const std::uint8_t>;

cs_mode mode_of(CodeWidth width) {
  switch (width) {
  case CodeWidth::k16:
    return CS_MODE_16;
  case CodeWidth::k32:
    return CS_MODE_32;
  case CodeWidth::k64:
    break;
  }
  return CS_MODE_64;
}

/// Owns a capstone handle, and the instruction that it decodes into.
class Decoder {
public:
  explicit Decoder(CodeWidth width) {
    if (cs_open(CS_ARCH_X86, mode_of(width), &handle_) != CS_ERR_OK)
      return; // it decodes nothing then
    is_open_ = true;
    cs_option(handle_, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    instruction_ = cs_malloc(handle_);
  }
  ~Decoder() {
    if (instruction_ != nullptr)
      cs_free(instruction_, 1);
    if (is_open_)
      cs_close(&handle_);
  }
  Decoder(const Decoder &) = delete;
  Decoder &operator=(const Decoder &) = delete;

  /// The instruction that `bytes` begin with; null when they begin with none. Good until the next call.
  [[nodiscard]] const cs_insn *first(Bytes bytes, std::uint64_t address) {
    const std::uint8_t *at = bytes.data();
    std::size_t left = bytes.size();
    const bool found = instruction_ != nullptr && cs_disasm_iter(handle_, &at, &left, &address, instruction_);
    return found ? instruction_ : nullptr;
  }

private:
  csh handle_ = 0;
  bool is_open_ = false;
  cs_insn *instruction_ = nullptr;
};

std::string hex_of(Bytes bytes) { return fmt::format("{:02x}", fmt::join(bytes, " ")); }

CodeLine line_at(Decoder &decoder, Bytes bytes, std::uint64_t address) {
  if (const cs_insn *found = decoder.first(bytes, address)) {
    std::string text = found->mnemonic;
    if (found->op_str[0] != '\0')
      text += std::string(" ") + found->op_str;
    return {address, hex_of(bytes.first(found->size)), std::move(text), false};
  }
  return {address, hex_of(bytes.first(1)), fmt::format(".byte {:#04x}", bytes[0]), false};
}

/// Where instructions begin in bytes that are followed by one, if all are instructions from their first on.
std::vector<std::size_t> beginnings(Decoder &decoder, Bytes bytes, std::uint64_t address) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at < bytes.size();) {
    const cs_insn *next = decoder.first(bytes.subspan(at), address + at);
    if (next == nullptr)
      return {};
    found.push_back(at);
    at += next->size;
  }
  return found;
}

} // namespace

std::vector<CodeLine> disassemble(const CodeBytes &code, std::size_t before, std::size_t behind) {
  const Bytes bytes = code.bytes;
  if (code.rip < code.begin || code.rip - code.begin >= bytes.size())
    return {};
  const std::size_t here = code.rip - code.begin;
  Decoder decoder(code.width);
  std::vector<CodeLine> lines;
  for (std::size_t from = 0; from < here && before != 0; ++from) {
    const std::vector<std::size_t> all =
        beginnings(decoder, bytes.subspan(from, here - from), code.begin + from);
    if (all.empty())
      continue;
    for (std::size_t i = all.size() - std::min(all.size(), before); i < all.size(); ++i)
      lines.push_back(
          line_at(decoder, bytes.subspan(from + all[i], here - from - all[i]), code.begin + from + all[i]));
    break;
  }
  std::size_t at = here;
  for (std::size_t i = 0; i <= behind && at < bytes.size(); ++i) {
    const Bytes rest = bytes.subspan(at);
    if (i != 0 && rest.size() < kLongest && decoder.first(rest, code.begin + at) == nullptr)
      break; // it may be cut short
    lines.push_back(line_at(decoder, rest, code.begin + at));
    lines.back().here = i == 0;
    at += (lines.back().bytes.size() + 1) / 3; // two digits and a space each
  }
  return lines;
}

} // namespace reveille::vmm
