#include "vmm/kvm/stats.hpp"

#include <fmt/format.h>
#include <linux/kvm.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>

namespace reveille::vmm {
namespace {

constexpr std::uint32_t kMostStats = 4096; // far more than any kernel has
// What stands before the name. Not the size of the structure: in C++ the header's flexible array takes room.
constexpr std::size_t kBeforeName =
    offsetof(kvm_stats_desc, bucket_size) + sizeof(kvm_stats_desc::bucket_size);
static_assert(kBeforeName == 16);

/// Fills `to` from `offset` on.
Result<void> read_at(const Fd &fd, std::span<std::byte> to, std::uint64_t offset) {
  const ssize_t got = ::pread(fd.get(), to.data(), to.size(), static_cast<off_t>(offset));
  if (got == static_cast<ssize_t>(to.size()))
    return {};
  return fail(ExitStatus::kBroken,
              fmt::format("reading {} bytes of KVM's statistics at {} failed: {}", to.size(), offset,
                          got < 0 ? std::strerror(errno) : "there are fewer"));
}

} // namespace

Result<std::vector<KvmStat>> read_stats(const Fd &stats) {
  kvm_stats_header header = {};
  if (auto r = read_at(stats, std::as_writable_bytes(std::span(&header, 1)), 0); !r)
    return tl::unexpected(r.error());
  if (header.num_desc > kMostStats)
    return fail(ExitStatus::kBroken, fmt::format("KVM says that it has {} statistics", header.num_desc));
  const std::size_t size = kBeforeName + header.name_size; // of a descriptor with its name
  std::vector<std::byte> table(size * header.num_desc);
  if (auto r = read_at(stats, table, header.desc_offset); !r)
    return tl::unexpected(r.error());
  std::vector<KvmStat> all;
  for (std::uint32_t i = 0; i < header.num_desc; ++i) {
    const std::span<const std::byte> entry(table.data() + i * size, size);
    kvm_stats_desc descriptor = {};
    std::memcpy(&descriptor, entry.data(), kBeforeName);
    if (descriptor.size != 1)
      continue;
    const auto *name = reinterpret_cast<const char *>(entry.data() + kBeforeName);
    KvmStat stat{std::string(name, ::strnlen(name, header.name_size)), 0};
    if (auto r = read_at(stats, std::as_writable_bytes(std::span(&stat.value, 1)),
                         header.data_offset + descriptor.offset);
        !r)
      return tl::unexpected(r.error());
    all.push_back(std::move(stat));
  }
  return all;
}

} // namespace reveille::vmm
