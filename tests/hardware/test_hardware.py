"""What the runner on a hardware-style KVM says of itself, without booting anything."""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import batches
import image
import machine
import run


def suite_json(verdict, differences=()):
    return json.dumps({"runs": [{"verdict": verdict, "differences": list(differences), "invariants": []}]}, indent=2)


def told(name, verdict="pass", status=0):
    return f"@ begin {name}\r\n{suite_json(verdict)}\r\n@ end {name} {status}\r\n"


class Boots:
    """A machine that records, boot by boot, what `stops` makes of its batch."""

    def __init__(self, stops_in=()):
        self.stops_in = list(stops_in)  # the machine stops in each of these, as often as it stands here
        self.batches = []

    def __call__(self, batch):
        self.batches.append(list(batch))
        text = ""
        for name in batch:
            if name in self.stops_in:
                self.stops_in.remove(name)
                return text + f"@ begin {name}\n"
            text += told(name)
        return text + "@ over\n"


def run_all(names, size, boot):
    heard = []
    results = batches.run_all(names, size, boot, lambda name, _: heard.append(name))
    return results, heard


class Records(unittest.TestCase):
    def test_results_and_where_it_stopped(self):
        record = batches.records(told("a") + told("faults/b", "unsupported", 3) + "@ begin c\n{\n")
        self.assertEqual({n: r.verdict for n, r in record.results.items()}, {"a": "pass", "faults/b": "unsupported"})
        self.assertEqual((record.began, record.over), ("c", False))
        self.assertTrue(batches.records(told("a") + "@ over\n").over)

    def test_a_result_that_is_none_is_told(self):
        self.assertEqual(batches.result_of(0, "").verdict, "broken")
        self.assertEqual(batches.result_of(1, '{"runs": []}').verdict, "broken")
        self.assertEqual(batches.result_of(130, suite_json("interrupted")).verdict, "broken")
        self.assertEqual(batches.result_of(batches.KILLED, "").verdict, "hung")

    def test_a_failure_says_why(self):
        self.assertEqual(batches.result_of(1, suite_json("fail", ["CPU 2", "CPU 3"])).reason, "CPU 2; CPU 3")
        broken = {"verdict": "broken", "differences": [], "invariants": [
            {"name": "one-writer", "holds": False, "evidence": "CPU 1"}, {"name": "bounded", "holds": None, "evidence": "-"},
        ]}  # fmt: skip
        self.assertEqual(batches.result_of(4, json.dumps({"runs": [broken]})).reason, "one-writer: CPU 1")


class Batches(unittest.TestCase):
    def test_all_are_run_once(self):
        boot = Boots()
        results, heard = run_all(list("abcde"), 2, boot)
        self.assertEqual(boot.batches, [["a", "b"], ["c", "d"], ["e"]])
        self.assertEqual((sorted(results), heard), (list("abcde"), list("abcde")))

    def test_one_stop_costs_nothing(self):
        boot = Boots(["b"])
        results, heard = run_all(list("abc"), 3, boot)
        self.assertEqual({n: r.verdict for n, r in results.items()}, {"a": "pass", "b": "late", "c": "pass"})
        self.assertEqual((boot.batches, heard), ([["a", "b", "c"], ["c", "b"]], ["a", "c", "b"]))

    def test_two_stops_are_a_hang_and_the_others_go_on(self):
        results, _ = run_all(list("abc"), 3, Boots(["b", "b"]))
        self.assertEqual({n: r.verdict for n, r in results.items()}, {"a": "pass", "b": "hung", "c": "pass"})

    def test_only_lateness_is_tried_again(self):
        late, wrong = batches.Result("fail", "CPU 3: got timeout@alive"), batches.Result("fail", "CPU 3: got crash@alive")
        self.assertIsNone(batches.settled(late, None))
        self.assertIsNone(batches.settled(batches.Result("fail", "fault 0 (at alive) fired 1 of 2 times on CPU 2"), None))
        self.assertEqual(batches.settled(late, late), late)
        self.assertEqual(batches.settled(wrong, None), wrong)
        self.assertEqual(batches.settled(batches.Result("pass"), None), batches.Result("pass"))
        self.assertEqual(batches.settled(batches.Result("pass"), late).reason, f"at first: {late.reason}")
        self.assertEqual(batches.settled(batches.Result("unsupported", "x"), None).verdict, "unsupported")

    def test_no_kvm_and_no_boot_are_told(self):
        with self.assertRaisesRegex(RuntimeError, "did not load"):
            run_all(["a"], 1, lambda batch: "@ broken no /dev/kvm: the modules did not load\n")
        booted = []
        with self.assertRaisesRegex(RuntimeError, "came to no scenario"):
            run_all(["a"], 1, lambda batch: booted.append(batch) or "")
        self.assertEqual(len(booted), batches.EMPTY_BOOTS)


class Watch(unittest.TestCase):
    def watch(self, silence_s, bound_s):
        """Whether a process that records nothing still runs when it is no longer waited for."""
        with tempfile.NamedTemporaryFile() as recorded, subprocess.Popen(["sleep", "30"]) as sleeper:
            try:
                with mock.patch.object(machine, "SILENCE_S", silence_s):
                    machine.watch(sleeper, Path(recorded.name), bound_s)
                return sleeper.poll() is None
            finally:
                sleeper.kill()

    def test_silence_and_the_bound_end_it(self):
        self.assertTrue(self.watch(0.01, 1000))
        self.assertTrue(self.watch(1000, 0.01))


class Expectations(unittest.TestCase):
    def test_differences(self):
        verdicts = {"a": "pass", "b": "fail", "c": "unsupported", "d": "hung", "e": "late"}
        results = {name: batches.Result(verdict) for name, verdict in verdicts.items()}
        self.assertEqual([d[0] for d in batches.differences(results, {})], ["b", "d"])
        self.assertEqual([d[0] for d in batches.differences(results, {"b": {"verdicts": ["fail"]}})], ["d"])
        self.assertEqual(
            [d[0] for d in batches.differences(results, {"a": {"verdicts": ["fail"]}})], ["a", "b", "d"]
        )

    def test_the_file(self):
        self.assertEqual(list(batches.wrong_with(run.expectations(), run.scenarios())), [])
        bad = {"no-such": {"verdicts": ["passed"], "reason": " "}}
        self.assertEqual(len(list(batches.wrong_with(bad, ["one"]))), 3)


class Image(unittest.TestCase):
    def test_archive(self):
        # newc: a header of 110 bytes, the name with its zero, and each padded to four.
        entry = image.cpio_entry("ab", 0o100755, b"12345")
        self.assertEqual((len(entry), entry[:6], entry[110:113], entry[116:121]), (124, b"070701", b"ab\0", b"12345"))
        self.assertEqual(int(entry[54:62], 16), 5)
        packed = image.gzip.decompress(image.archive({"lab/x/y": b"1"}))
        names = re.findall(rb"070701.{104}([a-zA-Z!/]+)\0", packed, re.S)
        self.assertEqual(names, [b"lab", b"lab/x", b"lab/x/y", b"TRAILER!!!"])

    def test_missing_packages_are_named(self):
        self.assertEqual(image.missing_packages(lambda command: None if command.startswith("apt") else "/x"), ["apt"])

    def test_the_bounds_agree(self):
        inside = int(re.search(r"timeout -s KILL (\d+)", image.INIT.read_text())[1])
        self.assertEqual(inside, run.SCENARIO_S)
        self.assertGreater(machine.SILENCE_S, inside)


if __name__ == "__main__":
    unittest.main()
