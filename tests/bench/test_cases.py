"""The cases of ./bench that measure the lab by itself: what they run, and what they make of it."""

import importlib.util
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import cases
import stats
from errors import BenchError
from testing import needs_kvm, some_context


class BringUp(unittest.TestCase):
    case = cases.all_cases()["bring-up"]

    def row(self, variant, vcpus, *milliseconds):
        times = stats.summary(milliseconds)
        return {**variant, "vcpus": vcpus, "total_ms": times, "bringup_ms": times}

    def too_slow(self, variant, vcpus, seconds):
        return {**variant, "vcpus": vcpus, "why": f"more than {seconds} s", "more_than_s": seconds}

    def test_the_shares_are_of_the_sizes(self):
        self.assertEqual(tuple(self.case.SHARES), self.case.SIZES)

    def test_what_does_not_fit_is_not_tried_and_the_shortest_comes_first(self):
        slow, quick = self.case.VARIANTS[:2]
        rows = [self.row(slow, 8, 4000), self.row(quick, 8, 1000)]
        for left, tried in ((10.1, [quick, slow]), (9.9, [quick]), (1.9, [])):
            chosen, others = self.case.choose(rows, (slow, quick), 16, left)
            self.assertEqual(chosen, tried, left)
            self.assertEqual(len(others), 2 - len(tried))
        self.assertEqual([other["why"] for other in others], ["not tried: about 2 s", "not tried: about 8 s"])

    def test_what_spins_has_its_own_patience(self):
        spinning = next(variant for variant in self.case.VARIANTS if variant["wait"] == "spin")
        patience = self.case.SPIN_PATIENCE
        for row, tried in (
            (self.row(spinning, 8, patience * 499), 1), (self.row(spinning, 8, patience * 501), 0),
            (self.too_slow(spinning, 8, patience), 0),
        ):  # fmt: skip
            self.assertEqual(len(self.case.choose([row], (spinning,), 16, 1000)[0]), tried, row)

    def test_a_cell_says_of_how_many_runs_it_is_or_why_it_has_none(self):
        first, second = self.case.VARIANTS[:2]
        rows = [self.row(first, 4, 1, 2, 3), self.row(second, 4, 5), self.too_slow(second, 8, 5), self.row(first, 8, 9)]
        text = self.case.report({"rows": rows})
        self.assertIn("| 2.00 (1.00 to 3.00) of 3 | 9.00 of 1 |", text)
        self.assertIn("| 5.00 of 1 | more than 5 s |", text)

    @needs_kvm
    def test_one_size(self):
        rows = self.case.measure_size(some_context(), 3, self.case.VARIANTS[:4], 100)
        self.assertEqual([row["strategy"] for row in rows], list(self.case.STRATEGIES))
        for row in rows:
            self.assertGreater(row["total_ms"]["low"], row["bringup_ms"]["low"])

    @needs_kvm
    def test_what_spins_too_long_is_told(self):
        spinning = next(variant for variant in self.case.VARIANTS if variant["wait"] == "spin")
        with mock.patch.object(self.case, "SPIN_PATIENCE", 0.001):
            (row,) = self.case.measure_size(some_context(), 8, [spinning], 100)
        self.assertEqual((row["why"], row["more_than_s"]), ("more than 0.001 s", 0.001))


class Unfinished(unittest.TestCase):
    """What a case has kept when it was ended at its first size."""

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is missing")
    def test_it_can_be_drawn(self):
        once = stats.summary([1.0])
        for name, row in (
            ("bring-up", {**cases.all_cases()["bring-up"].VARIANTS[0], "vcpus": 1, "total_ms": once}),
            ("floors", {"vcpus": 8, "apic": "kernel", "real_ms": once, "long_ms": once, "protocol_ms": once}),
            ("simulator", {"vcpus": 1000, "strategy": "serial", "why": "took more than 90 s"}),
        ):
            with tempfile.TemporaryDirectory() as folder:
                drawn = cases.all_cases()[name].plots({"rows": [row]}, Path(folder))
                self.assertEqual({file for file, _ in drawn}, {path.name for path in Path(folder).iterdir()})


class OnTheSimulator(unittest.TestCase):
    def test_the_longest_chain_is_a_bound(self):
        case = cases.all_cases()["skylake"]
        took = {s: case.bringup_ms(some_context(), case.SIZE, s, "sim") for s in case.STRATEGIES}
        self.assertGreater(took["parallel"], case.longest_chain_ms(case.SIZE))
        self.assertGreater(took["split"], took["parallel"])
        self.assertGreater(took["serial"], took["split"])
        result = {
            "kvm": {s: stats.summary([took[s]]) for s in case.STRATEGIES}, "chain_ms": case.longest_chain_ms(case.SIZE),
            "sim": [{"vcpus": case.SIZE, "chain_ms": case.longest_chain_ms(case.SIZE), "bringup_ms": took}],
        }  # fmt: skip
        self.assertEqual([target[1] for target in case.targets(result)], [True, True])
        took["parallel"] = case.MOST * result["chain_ms"] + 1
        self.assertEqual([target[1] for target in case.targets(result)], [True, False])
        self.assertIn("| simulator, 112 |", case.report(result))

    def test_a_delay_that_does_not_fire_is_an_error(self):
        case = cases.all_cases()["skylake"]
        with mock.patch.object(case, "fault", lambda *_: ""), self.assertRaisesRegex(BenchError, "not once"):
            case.bringup_ms(some_context(), 4, "parallel", "sim")

    def test_its_size_is_measured(self):
        case = cases.all_cases()["simulator"]
        rows = [case.measure_one(some_context(), 200, s, 1) for s in case.STRATEGIES]
        self.assertGreater(min(row["peak_mib"]["low"] for row in rows), 0)
        self.assertIn("| tree |", case.report({"rows": rows}))

    def test_it_is_to_be_linear(self):
        case = cases.all_cases()["simulator"]

        def row(vcpus, seconds):
            return {"vcpus": vcpus, "strategy": "parallel", "seconds": stats.summary([seconds])}

        for last, met in ((19.0, [True, True]), (21.0, [True, False])):
            rows = [row(10_000, 0.1), row(100_000, 1.0), row(1_000_000, last)]
            self.assertEqual([target[1] for target in case.targets({"rows": rows})], met)
        self.assertEqual(case.targets({"rows": [{"vcpus": 10_000, "strategy": "tree", "why": "slow"}]}), [])

    def test_what_would_take_too_long_is_not_tried(self):
        case = cases.all_cases()["simulator"]
        rows = [
            {"vcpus": vcpus, "strategy": "tree", "seconds": stats.summary([seconds])}
            for vcpus, seconds in ((1000, 1), (2000, 4))
        ]
        self.assertIsNone(case.why_not([], 4000, "tree", 1))
        self.assertIn("0 s left", case.why_not([], 4000, "tree", 0))
        self.assertIsNone(case.why_not(rows, 4000, "tree", 16 * case.CAUTION + 0.01))
        self.assertIn("16 to 24 s", case.why_not(rows, 4000, "tree", 16 * case.CAUTION - 0.01))
        self.assertIn("memory", case.why_not([], 10**12, "tree", 1))


@needs_kvm
class Floors(unittest.TestCase):
    def cost(self, *arguments):
        command = [some_context().program("bringup_cost"), *arguments]
        return some_context().run_json(command, 60)

    def test_all_cpus_count_whoever_keeps_the_lapics(self):
        for apic in ("kernel", "split", "user"):
            for guest in ("real", "long"):
                cost = self.cost("--guest", guest, "--vcpus", "5", "--apic", apic)
                self.assertGreater(cost["bringup_us"], 0)

    def test_beyond_the_xapic(self):
        self.assertGreater(self.cost("--guest", "long", "--vcpus", "260")["bringup_us"], 0)

    def test_the_cost_of_one_cpu(self):
        case = cases.all_cases()["cost-per-cpu"]
        row = case.measure_one(some_context(), 4, "kernel")
        self.assertIn("| 4, kernel | protocol |", case.report({"rows": [row]}))
        self.assertEqual(case.targets({"rows": [row]}), [])
        row["vcpus"] = case.TARGET_SIZE
        for kib, idle, met in (
            (case.MOST_MEMORY_KIB - 1, 1, True), (case.MOST_MEMORY_KIB, 1, False), (1000, 1000, None),
        ):  # fmt: skip
            row["protocol"]["host_kib"], row["idle_kib"] = stats.summary([2, kib, kib]), stats.summary([0, idle])
            self.assertEqual([target[1] for target in case.targets({"rows": [row]})], [met])
            self.assertEqual(case.NOT_SEEN in case.report({"rows": [row]}), met is None)

    def test_the_memory_of_an_idle_host(self):
        self.assertGreaterEqual(self.cost("--idle", "20")["idle_kib"], 0)

    def test_a_kvm_that_does_not_count(self):
        case = cases.all_cases()["cost-per-cpu"]
        self.assertIsNone(case.per_ap({"counters": None, "vcpus": 4}, "aps", "exits"))
        self.assertIsNone(case.summary([1.0, None]))
        self.assertEqual(case.per_ap({"counters": {"aps": {"exits": 6}}, "vcpus": 4}, "aps", "exits"), 2)

    def test_counters(self):
        cost = self.cost("--vcpus", "3")
        if cost["counters"] is None:
            self.skipTest("this KVM has no statistics")
        self.assertGreater(cost["counters"]["aps"]["exits"], 2)
        self.assertGreater(cost["counters"]["control"]["exits"], 0)

    def test_what_cannot_be_asked_for(self):
        for arguments in (["--vcpus", "1"], ["--guest", "other"], ["--apic", "none"]):
            self.assertNotEqual(some_context().run([some_context().program("bringup_cost"), *arguments], 60).status, 0)


if __name__ == "__main__":
    unittest.main()
