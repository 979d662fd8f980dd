"""What the cases that compare the lab with other things make of what those print."""

import os
import unittest
from pathlib import Path

import bench
import context
from cases import sync_point
from errors import BenchError

BUILD = Path(os.environ.get("REVEILLE_BUILD", bench.ROOT / "build"))


def row(name, microseconds, **changes):
    """A line of Google Benchmark's JSON."""
    return {
        "run_name": f"{name}/manual_time", "run_type": "iteration", "real_time": microseconds, "time_unit": "us",
        "points": 2000.0, **changes,
    }  # fmt: skip


def sync_points(core, rival):
    """A result in which all rivals take the same, for a meeting and for two."""
    names = {sync_point.CORE: core}
    for each in sync_point.RIVALS:
        names |= {f"{each}/meeting": rival, f"{each}/hand-over": 2 * rival}
    summary = {name: {"median": ns, "low": ns - 1, "high": ns + 1, "values": [ns - 1, ns, ns + 1]} for name, ns in names.items()}
    return {"ns": summary}


class SyncPoint(unittest.TestCase):
    def test_repeats_are_sorted_by_name_and_aggregates_left_out(self):
        rows = [row("a", 200), row("b/meeting", 10), row("a", 300), row("a", 250, run_type="aggregate")]
        self.assertEqual(sync_point.by_name({"benchmarks": rows}), {"a": [100, 150], "b/meeting": [5]})

    def test_what_could_not_be_measured_is_an_error(self):
        failed = {"run_name": "a/manual_time", "error_occurred": True, "error_message": "needs two CPUs"}
        with self.assertRaisesRegex(BenchError, "a: needs two CPUs"):
            sync_point.by_name({"benchmarks": [failed]})
        with self.assertRaisesRegex(BenchError, "in ns"):
            sync_point.by_name({"benchmarks": [row("a", 1, time_unit="ns")]})

    def test_a_whole_sync_point_is_set_beside_one_meeting(self):
        for core, met in ((99, True), (100, False), (150, False)):
            targets = sync_point.targets(sync_points(core, 100))
            self.assertEqual([each[1] for each in targets], [met] * 4, core)

    def test_the_cheapest_stands_first(self):
        text = sync_point.report(sync_points(50, 100))
        self.assertLess(text.index("| core |"), text.index("| std::barrier |"))
        self.assertIn("| core | - | - | - | 50.0 | 49.0 |", text)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "needs two CPUs")
    def test_core_goes_up_and_down_between_two_threads(self):
        done = context.Context(bench.ROOT, BUILD, True, print).run_json(
            [BUILD / "bin/sync_point", "--benchmark_format=json", "--benchmark_filter=^core", "--benchmark_min_time=0.001"],
            60,
        )
        self.assertEqual(len(sync_point.by_name(done)), 4)


if __name__ == "__main__":
    unittest.main()
