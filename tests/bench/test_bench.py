"""What ./bench makes of measurements: medians, merging, the page; and that what fails is never a number."""

import json
import os
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

import bench
import cases
import context
import markdown
import page
import results
import stats
from errors import BenchError, OutOfTime

BUILD = Path(os.environ.get("REVEILLE_BUILD", bench.ROOT / "build"))
HAS_KVM = os.access("/dev/kvm", os.R_OK | os.W_OK)


def some_context(quick=True):
    return context.Context(bench.ROOT, BUILD, quick, lambda line: None)


def sound_result(**changes):
    """A result of two CPUs, as far as it is looked at."""
    return {
        "title": "two", "strategy": "parallel", "backend": "kvm", "verdict": "pass",
        "cpus": [{"cpu": cpu, "outcome": "online"} for cpu in (0, 1)],
        "invariants": [{"name": "accounted", "holds": True}, {"name": "visible-before", "holds": None}],
        **changes,
    }  # fmt: skip


def process(status=0):
    return context.Timed(status, 0.1, 0.1, 0.1, 1000, "", "what it said")


def made_case(**parts):
    """A case that measures nothing."""
    case = types.SimpleNamespace(
        NAME="made", TITLE="Made up", ORDER=1, SECONDS=0,
        measure=lambda context: {"answer": 42},
        report=lambda result: f"It is {result['answer']}.\n",
        targets=lambda result: [("at least 40", result["answer"] >= 40, str(result["answer"]))],
    )  # fmt: skip
    vars(case).update(parts)
    return case


class Stats(unittest.TestCase):
    def test_summary(self):
        of_four = stats.summary(iter([4, 1, 2, 9]))
        self.assertEqual((of_four["median"], of_four["low"], of_four["high"]), (3, 1, 9))
        self.assertEqual(of_four["values"], [4, 1, 2, 9])
        with self.assertRaises(ValueError):
            stats.summary([])

    def test_they_take_turns_forwards_and_backwards(self):
        order = []
        taken = stats.interleave(3, {name: lambda name=name: order.append(name) or len(order) for name in "abc"})
        self.assertEqual("".join(order), "abccbaabc")
        self.assertEqual(taken, {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]})


    def test_no_further_round_begins_when_the_time_is_over(self):
        for seconds, rounds in ((100, 9), (50, 7), (0, stats.LEAST)):
            now = iter(range(0, 1000, 10))
            taken = stats.interleave(9, {"a": lambda: 1}, seconds, lambda now=now: next(now))
            # The clock is asked once at the beginning, and before each round after the first three.
            self.assertEqual(len(taken["a"]), rounds, seconds)


class Markdown(unittest.TestCase):
    def test_numbers(self):
        for value, text in (
            (None, "-"), (0, "0"), (0.01234, "0.012"), (1, "1.00"), (9.996, "10.0"), (12.34, "12.3"),
            (99.96, "100"), (1234.5, "1,234"), (-2.5, "-2.50"),
        ):  # fmt: skip
            self.assertEqual(markdown.number(value), text)

    def test_spread(self):
        self.assertEqual(markdown.spread(stats.summary([3, 1, 2])), "2.00 (1.00 to 3.00)")
        self.assertEqual(markdown.spread(stats.summary([2000]), 1e-3), "2.00")
        self.assertEqual(markdown.spread(None), "-")

    def test_table(self):
        self.assertEqual(markdown.table(["a", "b"], [["x", 1]]), "| a | b |\n| --- | ---: |\n| x | 1 |\n")


class Runs(unittest.TestCase):
    def test_a_sound_run_passes(self):
        context.check_run(process(), sound_result())

    def test_a_failing_run_is_an_error(self):
        for status, result, word in (
            (0, None, "no result"),
            (0, sound_result(cpus=[{"cpu": 0, "outcome": "online"}, {"cpu": 1, "outcome": "failed"}]), "[1] of 2"),
            (0, sound_result(cpus=[{"cpu": 0, "outcome": "not-attempted"}]), "[0] of 1"),
            (4, sound_result(invariants=[{"name": "accounted", "holds": False}]), "accounted"),
            (1, sound_result(), "status 1"),
            (0, sound_result(verdict="fail"), "verdict fail"),
        ):
            with self.assertRaises(BenchError, msg=word) as caught:
                context.check_run(process(status), result)
            self.assertIn(word, str(caught.exception))

    def test_a_process_is_timed(self):
        done = some_context().run(["sh", "-c", "echo out; echo err >&2; exit 7"], 60)
        self.assertEqual((done.status, done.out, done.err), (7, "out\n", "err\n"))
        self.assertGreater(done.seconds, 0)
        self.assertGreater(done.peak_kib, 0)

    def test_its_peak_is_its_own(self):
        ballast = b"x" * (256 << 20)  # what we have is not counted as what the process had
        done = some_context().run(["true"], 60)
        self.assertLess(done.peak_kib, len(ballast) >> 10)

    def test_its_time_is_bounded(self):
        with self.assertRaises(OutOfTime):
            some_context().run(["sleep", "1000"], 0.05)

    def test_what_cannot_be_run_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "cannot run /nowhere"):
            some_context().run(["/nowhere"], 60)

    def test_a_failing_program_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "status 3: broken"):
            some_context().run_json(["sh", "-c", "echo broken >&2; exit 3"], 60)

    def test_a_scenario_on_the_simulator(self):
        run = some_context().run_vmm("[machine]\nvcpus = 2\n", "bringup.strategy=split", backend="sim")
        self.assertEqual(run.result["strategy"], "split")

    def test_an_expected_failure_is_an_error_too(self):
        text = (
            '[machine]\nvcpus = 2\n[bringup]\ntimeout_ms = 10\n[[fault]]\ncpu = 1\nat = "alive"\naction = "stall"\n'
            '[expect]\nfailed = { 1 = "timeout@alive" }\n'
        )
        with self.assertRaisesRegex(BenchError, "did not come up"):
            some_context().run_vmm(text, backend="sim")


class Results(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "new", "bench.json")

    def test_a_case_is_merged_into_the_others(self):
        first = results.merge(results.load(self.path), {"a": {"result": 1}, "b": {"result": 2}})
        results.save(self.path, first)
        results.save(self.path, results.merge(results.load(self.path), {"b": {"error": "no"}}))
        self.assertEqual(results.load(self.path)["cases"], {"a": {"result": 1}, "b": {"error": "no"}})

    def test_other_files_are_refused(self):
        self.path.parent.mkdir()
        for text in ('{"schema": 2, "cases": {}}', "[]", "{"):
            self.path.write_text(text)
            with self.assertRaises(ValueError):
                results.load(self.path)


class Measuring(unittest.TestCase):
    def part(self, case):
        return bench.measure(case, some_context(), {"cpu": "made"})

    def test_a_part_says_when_and_where(self):
        part = self.part(made_case())
        self.assertEqual(part["result"], {"answer": 42})
        self.assertEqual(part["machine"], {"cpu": "made"})
        self.assertTrue({"date", "revision", "seconds", "quick"} <= set(part))

    def test_an_error_is_kept_in_place_of_a_number(self):
        def fail(_):
            raise BenchError("CPU 1 did not come up")

        part = self.part(made_case(measure=fail))
        self.assertNotIn("result", part)
        self.assertEqual(part["error"], "CPU 1 did not come up")


class Page(unittest.TestCase):
    def test_only_what_is_marked_is_replaced(self):
        text = "by hand\n\n<!-- bench: a -->\nold\n<!-- end -->\nalso by hand\n<!-- bench: b -->\nkept\n<!-- end -->\n"
        self.assertEqual(page.replace(text, {"a": "new\n\n"}), text.replace("old", "new"))

    def test_a_new_part_goes_to_the_end(self):
        self.assertEqual(page.replace("x\n", {"a": "b"}), "x\n\n<!-- bench: a -->\nb\n<!-- end -->\n")

    def test_again_changes_nothing(self):
        once = page.replace("x\n", {"a": "b", "c": "d\\1"})
        self.assertEqual(page.replace(once, {"a": "b", "c": "d\\1"}), once)

    def test_the_page_of_a_document(self):
        host = {"cpu": "Made", "cores": 2, "memory_mib": 2048, "kernel": "6", "kvm": []}
        part = {"date": "now", "quick": False, "revision": "r", "machine": host, "seconds": 1.0}
        document = results.merge(
            results.load("/nowhere"),
            {"made": {**part, "result": {"answer": 39}}, "bad": {**part, "error": "it broke"}},
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "page.md")
            path.write_text("# Page\n\n<!-- bench: targets -->\n<!-- end -->\n")
            page.update(path, document, {"made": made_case(), "bad": made_case(NAME="bad")})
            text = path.read_text()
        self.assertEqual(page.names(text), ["targets", "machine", "made"])
        self.assertIn("| made | at least 40 | 39 | **not met** |", text)
        self.assertIn("It is 39.", text)
        self.assertIn("`bad` could not be measured: it broke", text)
        self.assertEqual(text.count("2 cores of Made"), 2)

    def test_a_machine_is_told_of_once_whatever_its_figures_of_the_moment(self):
        def part(found, standing="works"):
            kvm = [{"name": "memory", "standing": standing, "found": found}]
            return {"machine": {"cpu": "Made", "cores": 2, "memory_mib": 2048, "kernel": "6", "kvm": kvm}}

        same = {"cases": {"a": part("10 MiB"), "b": part("11 MiB")}}
        self.assertEqual(page.machines(same).count("2 cores of Made"), 1)
        other = {"cases": {"a": part("10 MiB"), "b": part("none", "lacks")}}
        self.assertEqual(page.machines(other).count("2 cores of Made"), 2)

    def test_the_real_one_has_places_for_what_comes_first(self):
        self.assertLessEqual({"machine", "targets"}, set(page.names(bench.PAGE.read_text())))


class Cases(unittest.TestCase):
    def test_each_keeps_the_protocol(self):
        known = cases.all_cases()
        self.assertIn("bring-up", known)
        self.assertEqual(len({case.ORDER for case in known.values()}), len(known))
        for name, case in known.items():
            self.assertRegex(name, "^[a-z][a-z-]*$")
            for what in ("TITLE", "SECONDS", "measure", "report", "targets"):
                self.assertTrue(hasattr(case, what), f"{name} has no {what}")


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
        rows = [{"vcpus": 1000, "strategy": "tree", "seconds": stats.summary([case.PATIENCE])}]
        self.assertIsNone(case.why_not([], 2000, "tree"))
        self.assertIsNone(case.why_not(rows, 500, "tree"))
        self.assertIn("more than 240 s", case.why_not(rows, 2000, "tree"))
        self.assertIn("memory", case.why_not([], 10**12, "tree"))


class CommandLine(unittest.TestCase):
    def bench(self, *arguments):
        return subprocess.run(
            [sys.executable, Path(bench.__file__), "--build", BUILD, *arguments],
            capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip

    def test_the_list(self):
        done = self.bench("--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], list(cases.all_cases()))

    def test_an_unknown_case_is_a_usage_error(self):
        done = self.bench("no-such-case")
        self.assertEqual(done.returncode, 2)
        self.assertIn("bring-up", done.stderr)

    def test_what_is_to_be_read_must_be_there(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as other:
            other.write('{"something": "else"}')
            other.flush()
            for arguments, word in (
                (["--from", "/nowhere.json"], "there is no file"),
                (["--from", other.name], "is not a result"),
                (["--json", other.name, "floors"], "is not a result"),
                (["--from", other.name, "floors"], "takes nothing beside it"),
            ):
                done = self.bench(*arguments)
                self.assertEqual(done.returncode, 2, arguments)
                self.assertIn(word, done.stderr)

    @unittest.skipUnless(HAS_KVM, "/dev/kvm is missing, or not for this user")
    def test_a_case_from_end_to_end(self):
        before = bench.PAGE.read_text()
        case = cases.all_cases()["floors"]
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(case, "QUICK_SIZES", (4,)):
            path = Path(folder, "numbers.json")
            status = bench.main(["--build", str(BUILD), "--quick", "--json", str(path), "floors"])
            part = json.loads(path.read_text())["cases"]["floors"]
        self.assertEqual(status, 0, part)
        self.assertTrue(part["quick"])
        self.assertEqual(bench.PAGE.read_text(), before)
        self.assertIn("| 4, kernel |", case.report(part["result"]))

    @unittest.skipUnless(HAS_KVM, "/dev/kvm is missing, or not for this user")
    def test_bring_up_of_one_size(self):
        case = cases.all_cases()["bring-up"]
        rows, _ = case.measure_size(some_context(), 3, case.VARIANTS[:4])
        self.assertEqual([row["strategy"] for row in rows], list(case.STRATEGIES))
        for row in rows:
            self.assertGreater(row["total_ms"]["low"], row["bringup_ms"]["low"])


@unittest.skipUnless(HAS_KVM, "/dev/kvm is missing, or not for this user")
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
        for kib, met in ((case.MOST_MEMORY_KIB - 1, True), (case.MOST_MEMORY_KIB, False)):
            row["protocol"]["host_kib"] = stats.summary([1, kib])
            self.assertEqual([target[1] for target in case.targets({"rows": [row]})], [met])

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
