"""The layers hold; and the check that says so goes red when they do not."""

import unittest
from pathlib import Path

import layers

ROOT = Path(__file__).resolve().parents[2]

# A file, what is in it, and a word of the complaint.
BROKEN = [
    ("core/ap.hpp", '#include "vmm/base/fd.hpp"', "vmm/base/fd.hpp"),
    ("core/ap.hpp", '#include "guest/cpu.hpp"', "guest/cpu.hpp"),
    ("core/ap.hpp", "#include <thread>", "thread"),
    ("core/ap.hpp", "#  include <sys/mman.h>", "sys/mman.h"),
    ("core/ap.hpp", '#include "word.hpp"', "root of the repository"),
    ("core/ap.hpp", '#include "../core/abi/word.hpp"', "root of the repository"),
    ("core/abi/word.hpp", '#include "core/steps.hpp"', "core/steps.hpp"),
    ("core/abi/word.hpp", '#include "core/protocol/points.hpp"', "points.hpp"),
    ("core/protocol/points.hpp", '#include "core/ap.hpp"', "core/ap.hpp"),
    ("guest/run/main.cpp", '#include "vmm/scenario/scenario.hpp"', "vmm/scenario"),
    ("guest/boot/boot.S", '#include "vmm/kvm/vcpu.hpp"', "vmm/kvm"),
    ("guest/run/main.cpp", "#include <vector>", "vector"),
    ("guest/smp/panic.cpp", '#include "guest/run/output.hpp"', "guest/run"),
    ("guest/boot/page_tables.cpp", '#include "guest/acpi/madt.hpp"', "guest/acpi"),
    ("guest/main.cpp", "", "not a room"),
    ("guest/odds/ends.cpp", "", "not a room"),
    ("vmm/judge/judge.cpp", '#include "core/control.hpp"', "core/control.hpp"),
    ("vmm/judge/judge.cpp", '#include "guest/symbols.hpp"', "guest/symbols.hpp"),
    ("vmm/kvm/vcpu.cpp", '#include "vmm/machine/machine.hpp"', "vmm/machine"),
    ("vmm/base/fd.hpp", '#include "vmm/scenario/scenario.hpp"', "vmm/scenario"),
    ("vmm/judge/judge.cpp", '#include "vmm/report/report.hpp"', "vmm/report"),
    ("vmm/lab/lab.cpp", '#include "vmm/cli/options.hpp"', "vmm/cli"),
    ("vmm/sim/guest.cpp", '#include "vmm/lab/lab.hpp"', "vmm/lab"),
    ("vmm/lab/lab.cpp", '#include "core/driver.hpp"', "core/driver.hpp"),
    ("vmm/lab/lab.cpp", '#include "vmm/suite/suite.hpp"', "vmm/suite"),
    ("vmm/odds/ends.cpp", "", "not a layer"),
    ("vmm/machine/machine.cpp", "int n = ioctl (fd, KVM_RUN, 0);", "only vmm/kvm"),
    ("vmm/lab/lab.cpp", "struct kvm_run *run;", "only vmm/kvm"),
    ("vmm/cli/main.cpp", "#include <sys/ioctl.h>", "only vmm/kvm"),
    ("vmm/report/terminal_size.cpp", "ioctl(fd, TIOCGWINSZ, &size); ioctl(fd, KVM_RUN, 0);", "only vmm/kvm"),
    ("vmm/report/style.cpp", "ioctl(fd, TIOCGWINSZ, &size);", "only vmm/kvm"),
]

SOUND = [
    ("core/ap.hpp", '#include "core/protocol/points.hpp"\n#include <atomic>'),
    ("core/abi/word.hpp", '#include "core/abi/place.hpp"\n#include <cstdint>'),
    ("guest/run/main.cpp", '#include "core/ap.hpp"\n#include "guest/x86/lapic.hpp"'),
    ("guest/smp/area.cpp", '#include "guest/smp/area.hpp"\n#include "guest/acpi/madt.hpp"'),
    ("guest/run/main.cpp", '// #include <vector>\n/* #include "vmm/x.hpp" */'),
    ("vmm/kvm/vcpu.cpp", "#include <sys/ioctl.h>\nint n = ioctl(fd, KVM_RUN, 0); kvm_run *r;"),
    ("vmm/report/terminal_size.cpp", "#include <sys/ioctl.h>\nioctl(fd, TIOCGWINSZ, &size);"),
    ("vmm/machine/m.cpp", '// kvm_run is vmm/kvm\'s\nauto s = "ioctl(KVM_RUN)";\n#include <vector>'),
    ("vmm/lab/lab.cpp", '#include "core/abi/word.hpp"\n#include "vmm/judge/judge.hpp"'),
    ("vmm/sim/guest.cpp", '#include "core/driver.hpp"\n#include "vmm/judge/observation.hpp"'),
    ("vmm/main.cpp", '#include "vmm/cli/options.hpp"'),
]


class Layers(unittest.TestCase):
    def test_the_repository(self):
        self.assertEqual(list(layers.violations(ROOT)), [])

    def test_violations_are_seen(self):
        for path, text, word in BROKEN:
            with self.subTest(path=path, text=text):
                complaints = list(layers.violations_of(path, text))
                self.assertEqual(len(complaints), 1, complaints)
                self.assertIn(word, complaints[0])

    def test_sound_files_pass(self):
        for path, text in SOUND:
            with self.subTest(path=path, text=text):
                self.assertEqual(list(layers.violations_of(path, text)), [])


if __name__ == "__main__":
    unittest.main()
