// A host without a VMM of ours: makes the memory image of a control page with its slots and
// rings for boot_controlled.py to load under QEMU, and judges what the guest has made of it.
#include "core/abi/control_page.hpp"
#include "core/protocol/points.hpp"
#include "core/protocol/states.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace reveille;
using abi::EventKind;
using abi::Word;

constexpr std::uint64_t kSlotsAt = 4096;
constexpr std::uint32_t kRingCapacity = 4096;
constexpr std::uint64_t kRingSize = kRingCapacity * sizeof(abi::Event);

std::uint64_t ring_at(unsigned cpus, unsigned cpu) {
  const std::uint64_t slots_end = kSlotsAt + cpus * sizeof(abi::CpuSlot);
  return (slots_end + 4095) / 4096 * 4096 + cpu * kRingSize;
}

std::uint64_t image_size(unsigned cpus) { return ring_at(cpus, cpus); }

/// The image in memory, aligned as the guest is to find it.
class Image {
public:
  Image(std::uint64_t address, unsigned cpus)
      : address_(address), cpus_(cpus), bytes_(new (std::align_val_t(4096)) char[image_size(cpus)]()) {}
  ~Image() { operator delete[](bytes_, std::align_val_t(4096)); }
  Image(const Image &) = delete;
  Image &operator=(const Image &) = delete;

  [[nodiscard]] std::span<char> bytes() { return {bytes_, image_size(cpus_)}; }
  [[nodiscard]] abi::ControlPage &page() { return *reinterpret_cast<abi::ControlPage *>(bytes_); }
  [[nodiscard]] std::span<abi::CpuSlot> slots() {
    return {reinterpret_cast<abi::CpuSlot *>(bytes_ + kSlotsAt), cpus_};
  }
  [[nodiscard]] std::span<const abi::Event> events(unsigned cpu) {
    const auto *first = reinterpret_cast<const abi::Event *>(bytes_ + ring_at(cpus_, cpu));
    return {first, std::min(slots()[cpu].ring.count.load(), kRingCapacity)};
  }

  void fill_in() {
    abi::ControlPage &p = page();
    p.magic = abi::kControlMagic;
    p.version = abi::kAbiVersion;
    p.size = sizeof(abi::ControlPage);
    p.request = {.cpus = cpus_,
                 .max_cpus = cpus_,
                 .strategy = abi::Strategy::kParallel,
                 .wait = abi::Wait::kHalt,
                 .stop = abi::Stop::kInit,
                 .window = 0,
                 .attempts = 2,
                 .cycles = 1,
                 .timeout_us = 20'000'000,
                 .tsc_khz = 0,
                 .lapic_hz = 0,
                 .slots = address_ + kSlotsAt,
                 .primary_threads_first = 0,
                 .kicks = abi::Kicks::kOneByOne};
    for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
      slots()[cpu].host.ring = address_ + ring_at(cpus_, cpu);
      slots()[cpu].host.ring_capacity = kRingCapacity;
    }
  }

private:
  std::uint64_t address_;
  unsigned cpus_;
  char *bytes_;
};

unsigned complaints = 0;

void expect(bool holds, const std::string &what) {
  if (!holds) {
    std::printf("%s\n", what.c_str());
    ++complaints;
  }
}

std::string of_cpu(unsigned cpu, const std::string &what) {
  return "CPU " + std::to_string(cpu) + ": " + what;
}

void check_moves(Image &image, unsigned cpus) {
  for (unsigned ring = 0; ring < cpus; ++ring)
    for (const abi::Event &e : image.events(ring)) {
      if (e.kind != EventKind::kMoved)
        continue;
      const auto mover = ring == 0 ? protocol::Mover::kCp : protocol::Mover::kAp;
      expect(protocol::is_legal(Word::from(e.a), Word::from(e.b), mover),
             of_cpu(e.cpu, std::string(protocol::name(Word::from(e.a).state)) + " moved to " +
                               std::string(protocol::name(Word::from(e.b).state)) + " by " +
                               (ring == 0 ? "the CP" : "the AP")));
      expect(ring == 0 || ring == e.cpu, of_cpu(ring, "moved another's word"));
    }
}

void check_steps(Image &image, unsigned cpus) {
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    unsigned starting = 0;
    unsigned online = 0;
    for (const abi::Event &e : image.events(cpu)) {
      if (e.kind != EventKind::kStepEnter)
        continue;
      const bool interrupts = (e.flags & abi::kFlagInterruptsOn) != 0;
      const bool in_thread = e.b == static_cast<std::uint64_t>(protocol::Section::kOnline);
      expect(interrupts == in_thread, of_cpu(cpu, "a step runs with interrupts the wrong way"));
      expect(e.a == (in_thread ? online : starting), of_cpu(cpu, "steps out of order"));
      ++(in_thread ? online : starting);
    }
    expect(starting > 0 && online > 0, of_cpu(cpu, "has not run its steps"));
  }
}

void check_report(Image &image, unsigned cpus) {
  const abi::GuestReport &report = image.page().report;
  expect(report.refusal == 0, "refused: " + std::to_string(report.refusal));
  expect(report.found_cpus == cpus, "found " + std::to_string(report.found_cpus) + " CPUs");
  expect(report.kicks == cpus - 1, "kicked " + std::to_string(report.kicks) + " times");
  expect(report.zero_tsc != 0 && report.zero_tsc < report.decided_tsc, "time zero is not before the end");
  expect(std::string(image.page().steps[0].name) == "area", "the steps' names are not there");
  const abi::KeptRange *kept = image.page().kept;
  const abi::KeptRange &trampolines = kept[static_cast<unsigned>(abi::Keep::kTrampolines)];
  expect(trampolines.size == abi::kPages * 4096 && trampolines.begin + trampolines.size <= 0xa0000,
         "the trampoline pages are not where a SIPI reaches them");
  expect(kept[static_cast<unsigned>(abi::Keep::kIdMap)].size != 0, "it is not said where the ID map is");
  expect(kept[static_cast<unsigned>(abi::Keep::kCode)].size != 0, "it is not said where the code is");
  expect(kept[static_cast<unsigned>(abi::Keep::kParkStacks)].size == (cpus - 1) * 4096,
         "there is not a park stack for each AP");
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const abi::CpuSlot &slot = image.slots()[cpu];
    expect(slot.ring.lost == 0, of_cpu(cpu, "has lost events"));
    expect(cpu == 0 || Word::from(slot.sync.word).state == abi::State::kActive,
           of_cpu(cpu, "is " + std::string(protocol::name(Word::from(slot.sync.word).state))));
    for (unsigned other = 0; other < cpu; ++other)
      expect(slot.sync.apic_id != image.slots()[other].sync.apic_id, of_cpu(cpu, "has another's APIC ID"));
  }
}

void print(Image &image, unsigned cpus) {
  const std::uint64_t zero = image.page().report.zero_tsc;
  for (unsigned ring = 0; ring < cpus; ++ring)
    for (const abi::Event &e : image.events(ring))
      std::printf("%12lld ring %-4u cpu %-4u attempt %u kind %-2u flags %u a %llx (%s) b %llx (%s)\n",
                  static_cast<long long>(e.tsc - zero), ring, e.cpu, e.attempt, static_cast<unsigned>(e.kind),
                  e.flags, static_cast<unsigned long long>(e.a),
                  std::string(protocol::name(Word::from(e.a).state)).c_str(),
                  static_cast<unsigned long long>(e.b),
                  std::string(protocol::name(Word::from(e.b).state)).c_str());
}

bool read(Image &image, const char *file) {
  std::ifstream in(file, std::ios::binary);
  in.read(image.bytes().data(), static_cast<std::streamsize>(image.bytes().size()));
  return static_cast<std::size_t>(in.gcount()) == image.bytes().size();
}

} // namespace

/// control_page size CPUS | (make | decided | check | print) FILE ADDRESS CPUS
int main(int argc, char **argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "size" && argc == 3) {
    std::printf("%llu\n",
                static_cast<unsigned long long>(image_size(static_cast<unsigned>(std::atoi(argv[2])))));
    return 0;
  }
  if (argc != 5)
    return 2;
  const auto cpus = static_cast<unsigned>(std::atoi(argv[4]));
  Image image(std::strtoull(argv[3], nullptr, 0), cpus);
  if (what == "make") {
    image.fill_in();
    std::ofstream(argv[2], std::ios::binary)
        .write(image.bytes().data(), static_cast<std::streamsize>(image.bytes().size()));
    return 0;
  }
  if (!read(image, argv[2])) {
    std::printf("%s is too short\n", argv[2]);
    return 2;
  }
  if (what == "decided")
    return image.page().report.decided_tsc != 0 || image.page().report.refusal != 0 ? 0 : 1;
  if (what == "print") {
    print(image, cpus);
    return 0;
  }
  check_report(image, cpus);
  check_moves(image, cpus);
  check_steps(image, cpus);
  return complaints == 0 ? 0 : 1;
}
