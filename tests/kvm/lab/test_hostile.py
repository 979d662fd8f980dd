"""Guests that are not to be trusted: whatever they do, the run ends by itself and is told of.

They all run at the same time: most of them end only with their run's bound.
"""

import itertools
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import lab

BOUND = "the run's bound of"
UNTOUCHED = {"lost@alive"}  # every AP's reason where the guest never came to bring-up

# Guest: exit status, and what the report says. `scribble` may look like anything, a refusal too.
GUESTS = {
    "ring-anything": ({4}, r"the run's bound of \d+ ms expired"),
    "claim-decided": ({4}, r"broken: accounted: CPU 1 was asked for, and never kicked"),
    "claim-decided-for-ever": ({4}, r"broken: accounted: CPU 1 was asked for, and never kicked"),
    "panic-for-ever": ({1}, r"CPU 0 died: the guest panicked, and its ring does not say why"),
    "refuse-oddly": ({4}, r"the guest refused this machine: for a reason that this vmm does not know \(77\)"),
    "triple-fault": ({1}, r"CPU 0 died: triple fault"),
    "loop": ({4}, r"the run's bound of \d+ ms expired"),
    "halt": ({4}, r"the run's bound of \d+ ms expired"),
    "strings": ({4}, r"the run's bound of \d+ ms expired"),
    "mmio": ({4}, r"the run's bound of \d+ ms expired"),
    "narrow-ports": ({4}, r"the run's bound of \d+ ms expired"),
    "emulation-failure": ({1}, r"CPU 0 died: "),
    "scribble": ({1, 4}, r"the run's bound of \d+ ms expired"),
    "scribble-and-claim": ({1, 4}, r"CPU 1: expected online, got "),
    "full-rings": ({1, 4}, r"CPU 1: expected online, got "),
    "sound-looking-rings": ({4}, r"broken: "),
    "crash-aps": ({4}, r"the run's bound of \d+ ms expired"),
    "lapic-storm": ({4}, r"the run's bound of \d+ ms expired"),
}

# What has to do with LAPICs, once for each who may model them.
LAPIC_GUESTS = ("lapic-storm", "mmio", "crash-aps")

# So that every kind of fault has something to do when a guest names its place.
FAULTS = [
    "cpu = 1; at = 'kick'; action = 'delay'; duration_ms = 1; count = 100",
    "cpu = 2; at = 'kick'; action = 'stall'; duration_ms = 1; count = 100",
    "cpu = 3; at = 'alive'; action = 'stall'",
    "cpu = 0; at = 'time:1'; action = 'delay'; duration_ms = 1",
    "cpu = 2; at = 'time:2'; action = 'crash'",
]


TRACE = jsonschema.Draft202012Validator(json.loads((lab.ROOT / "docs/trace.schema.json").read_text()))


class Hostile(lab.LabCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reveille-pictures-")
        self.addCleanup(folder.cleanup)
        self.pictures = Path(folder.name)
        self.numbers = itertools.count()

    def tearDown(self):
        """There is a trace and a page of each run, whatever its guest wrote."""
        runs = next(self.numbers)
        for number in range(runs):
            trace = json.loads((self.pictures / f"{number}.json").read_text())
            self.assertEqual([error.message for error in TRACE.iter_errors(trace)], [])
            page = (self.pictures / f"{number}.html").read_text()
            data = page.partition('id="data">')[2].partition("</script>")[0]
            self.assertLessEqual(4, len(json.loads(data)["tracks"]))

    def run_guest(self, name, faults=(), *arguments):
        text = lab.scenario(vcpus=4, timeout_ms=10, faults=faults, expect='online = "all"')
        guest = lab.GUESTS / f"{name}.elf"
        picture = self.pictures / str(next(self.numbers))
        try:
            return self.run_lab(text, "--guest", str(guest), "--log-level", "debug", "--trace", f"{picture}.json",
                                "--report", f"{picture}.html", *arguments)  # fmt: skip
        except Exception as error:  # told of in the test's own thread
            return error

    def assert_ended(self, run, name, statuses, report):
        self.assertIsInstance(run, lab.Run)
        self.assertIn(run.status, statuses, run.out[-2000:] + run.err[-2000:])
        self.assert_sound(run)
        self.assertRegex(run.report, report)
        self.assertLess(len(run.err), 50_000, "the log grows with what the guest does")
        print(f"{name}: exit {run.status}, {run.seconds:.1f} s")

    def test_without_faults(self):
        with ThreadPoolExecutor(len(GUESTS)) as pool:
            runs = dict(zip(GUESTS, pool.map(self.run_guest, GUESTS)))
        for name, (statuses, report) in GUESTS.items():
            with self.subTest(guest=name):
                self.assert_ended(runs[name], name, statuses, report)

    def test_with_faults(self):
        names = "ring-anything claim-decided scribble scribble-and-claim full-rings crash-aps".split()
        with ThreadPoolExecutor(len(names)) as pool:
            runs = dict(zip(names, pool.map(lambda name: self.run_guest(name, FAULTS), names)))
        for name, run in runs.items():
            with self.subTest(guest=name):
                self.assert_ended(run, name, {1, 4}, "differs: |broken: ")

    def test_in_each_lapic_mode(self):
        cases = [(name, mode) for name in LAPIC_GUESTS for mode in ("split", "user")]
        with ThreadPoolExecutor(len(cases)) as pool:
            runs = pool.map(lambda case: self.run_guest(case[0], (), "--set", f"machine.apic={case[1]}"), cases)
        for (name, mode), run in zip(cases, runs):
            with self.subTest(guest=name, apic=mode):
                self.assert_ended(run, f"{name} ({mode})", *GUESTS[name])

    def test_an_untouched_ap_is_lost(self):
        run = self.run_guest("claim-decided")
        self.assertEqual({cpu["reason"] for cpu in run.result["cpus"][1:]}, UNTOUCHED)
        self.assertEqual(run.result["online"], [0])

    def test_the_rings_have_room_again_when_a_cycle_has_ended(self):
        run = self.run_guest("end-of-cycle")
        self.assert_ended(run, "end-of-cycle", {1, 4}, r"accounted|differs: ")
        self.assertNotIn("events lost", run.report)

    def test_evidence_against_a_crashing_ap_is_bounded(self):
        run = self.run_guest("crash-aps")
        self.assertIn("the guest panicked", run.report)
        self.assertGreater(run.report.count("the guest panicked"), 1)
        self.assertLess(run.report.count("the guest panicked"), 20)


if __name__ == "__main__":
    lab.main()
