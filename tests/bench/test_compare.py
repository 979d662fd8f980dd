"""What the cases that compare the lab with other things make of what those print."""

import os
import unittest
from unittest import mock

import qemu
import stamped
import stats
from cases import linux as linux_case
from cases import other_vmms, sync_point
from errors import BenchError, OutOfTime
from testing import some_context


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
    return {"ns": {name: stats.summary([ns - 1, ns, ns + 1]) for name, ns in names.items()}}


class Stamps(unittest.TestCase):
    def stamped(self, script, bound=60, until=None):
        return stamped.run(some_context(), ["sh", "-c", script], bound, until)

    def test_a_line_has_the_time_of_its_first_byte(self):
        done = self.stamped("echo one >&2; sleep 0.05; printf t; sleep 0.3; echo wo; exit 7")
        self.assertEqual([text for _, text in done.lines], ["one", "two"])
        self.assertEqual(done.status, 7)
        self.assertGreater(done.when("two"), done.when("one"))
        self.assertGreater(done.seconds - done.when("two"), 0.25)

    def test_it_ends_at_what_is_waited_for(self):
        done = self.stamped("echo a; echo wanted; exec sleep 1000", until="want")
        self.assertEqual((done.status, done.lines[1][1]), (137, "wanted"))

    def test_what_takes_too_long_or_is_not_said_is_an_error(self):
        with self.assertRaisesRegex(OutOfTime, "more than 0.3 s; the last that it wrote: half"):
            self.stamped("printf half; exec sleep 1000", bound=0.3)
        with self.assertRaisesRegex(BenchError, 'nothing says "b", status 2: a'):
            self.stamped("echo a; exit 2").when("b")
        with self.assertRaisesRegex(BenchError, "cannot run /nowhere"):
            stamped.run(some_context(), ["/nowhere"], 60)

    def test_what_is_no_text_is_no_harm(self):
        self.assertEqual(len(self.stamped("printf '\\377\\001\\n\\n'").lines), 2)


def vmm_rows(**active):
    """A result of other_vmms: milliseconds to the last active, by the first word of the way, for 8 CPUs."""
    rows = []
    for way in other_vmms.WAYS:
        value = active.get(way.replace(", ", "_"), 100)
        summary = stats.summary([value])
        rows.append({"way": way, "vcpus": 8, **dict.fromkeys(other_vmms.TIMES, summary)})
    return {"qemu": "7.2", "rows": rows}


class OtherVmms(unittest.TestCase):
    def test_targets_are_ratios(self):
        for microvm, met in ((500, True), (499, False)):
            targets = other_vmms.targets(vmm_rows(microvm_kvm=microvm, q35_kvm=10))
            self.assertEqual([each[1] for each in targets], [met, None, False, None])

    def test_each_way_is_told_with_its_ratio(self):
        text = other_vmms.report(vmm_rows(microvm_kvm=250))
        self.assertIn("| microvm, kvm | 250, 2.50x |", text)
        self.assertIn("| vmm | 100 |", text)

    @unittest.skipIf(qemu.missing("kvm"), "needs QEMU and KVM")
    def test_both_kinds_of_run(self):
        for way in ("vmm", "microvm, kvm"):
            run = other_vmms.once(some_context(), way, 3)
            self.assertLess(run["bringup_ms"], run["active_ms"])
            self.assertLess(run["active_ms"], run["exit_ms"])

    @unittest.skipIf(qemu.missing("tcg"), "needs QEMU")
    def test_a_guest_that_does_not_do_as_asked_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "another strategy than none-such"):
            qemu.run_guest(some_context(), "microvm", "tcg", 2, 60, "strategy=none-such")


def linux_boot(cpus=32):
    """What a boot of Linux writes."""
    lines = [
        (0.5, "[    0.0] Linux version 6.12"), (2.0, "[    0.859805] smp: Bringing up secondary CPUs ..."),
        (7.5, f"[    4.859805] smp: Brought up 1 node, {cpus} CPUs"),
    ]  # fmt: skip
    return stamped.Stamped(137, 8, lines)


def linux_rows(parallel, serial, linux=(8000, 4000)):
    rows = [*zip(linux_case.LINUX_WAYS, linux, strict=True)]
    rows += zip(linux_case.GUEST_WAYS, (parallel, 100, serial), strict=True)
    rows = [{"way": way, **dict.fromkeys(("bringup_ms", "own_ms"), stats.summary([ms]))} for way, ms in rows]
    return {"kernel": "linux-image-6.12", "qemu": "7.2", "cpus": 32, "rows": rows}


class Linux(unittest.TestCase):
    def test_times_are_between_its_two_lines(self):
        times = linux_case.linux_times(linux_boot())
        self.assertAlmostEqual(times["bringup_ms"], 5500)
        self.assertAlmostEqual(times["own_ms"], 4000)

    def test_a_cpu_too_few_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "not brought 32 CPUs up"):
            linux_case.linux_times(linux_boot(31))

    def test_targets_are_against_the_quicker_way_of_linux(self):
        for parallel, serial, met in ((200, 200, [True, True, True]), (201, 200, [False, True, False])):
            self.assertEqual([each[1] for each in linux_case.targets(linux_rows(parallel, serial))], met)

    def test_each_way_is_told(self):
        text = linux_case.report(linux_rows(1, 2))
        for way in (*linux_case.LINUX_WAYS, *linux_case.GUEST_WAYS):
            self.assertIn(f"| {way} | ", text)

    @unittest.skipIf(qemu.missing("tcg"), "needs QEMU")
    def test_a_boot_of_this_guest(self):
        with mock.patch.object(linux_case, "CPUS", 2):
            run = linux_case.guest_once(some_context(), "serial")
        self.assertGreater(run["bringup_ms"], 0)


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
        options = ("--benchmark_format=json", "--benchmark_filter=^core", "--benchmark_min_time=0.001")
        done = some_context().run_json([some_context().program("sync_point"), *options], 60)
        self.assertEqual(len(sync_point.by_name(done)), 4)


if __name__ == "__main__":
    unittest.main()
