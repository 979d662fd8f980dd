"""What ./bench makes of measurements: medians, merging, the page; and that what fails is never a number."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
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
from testing import BUILD, needs_kvm, some_context


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


def is_gone(pid, patience=10):
    """Whether a process ends by itself within so many seconds; one that nobody has waited for has ended, too."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def made_case(**parts):
    """A case that measures nothing."""
    case = types.SimpleNamespace(
        NAME="made", TITLE="Made up", ORDER=1, SECONDS=0, QUICK_SECONDS=0,
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

    def test_each_is_taken_again_as_often_as_fits_into_its_part(self):
        now = [0]

        def takes(seconds):
            def pass_time():
                now[0] += seconds

            return pass_time

        ways = {"long": takes(10), "short": takes(1)}
        for seconds, times in (
            (math.inf, (9, 9)), (60, (3, 9)), (59, (2, 9)), (14, (1, 7)), (2, (1, 1)), (-1, (1, 1)),
        ):  # fmt: skip
            taken = stats.interleave(9, ways, seconds, lambda: now[0])
            self.assertEqual((len(taken["long"]), len(taken["short"])), times, seconds)
        self.assertEqual(stats.interleave(9, {}, 1), {})  # where nothing fits

    def test_a_budget_is_counted_down(self):
        now = [5.0]
        budget = stats.Budget(3, lambda: now[0])
        now[0] = 6.5
        self.assertEqual(budget.left(), 1.5)

    def test_what_is_to_come_grows_as_a_power(self):
        self.assertEqual(stats.extrapolate({}, 8), 0)
        self.assertEqual(stats.extrapolate({4: 3.0}, 8), 6)
        self.assertAlmostEqual(stats.extrapolate({1: 7.0, 2: 1.0, 4: 4.0}, 8), 16)  # squared, by the two largest
        self.assertAlmostEqual(stats.extrapolate({2: 1.0, 4: 1.1}, 8), 2.2)  # at least linear


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
        self.assertEqual(markdown.counted(stats.summary([3, 1, 2])), "2.00 (1.00 to 3.00) of 3")
        self.assertEqual(markdown.counted(None), "-")

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

    def test_nothing_is_left_running_when_it_is_interrupted(self):
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder, "pid")
            before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
            self.addCleanup(signal.signal, signal.SIGUSR1, before)
            with self.assertRaises(KeyboardInterrupt):
                some_context().run(["sh", "-c", f"echo $$ >{told}; kill -USR1 {os.getpid()}; exec sleep 1000"], 60)
            self.assertTrue(is_gone(int(told.read_text())))

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
        """What comes of a case; what was saved meanwhile is in self.saved."""
        self.saved = []
        save = lambda name, part: self.saved.append((name, dict(part)))  # noqa: E731
        return bench.measure(case, some_context(), {"cpu": "made"}, save)

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
        self.assertEqual(self.saved, [("made", part)])

    def test_what_there_is_so_far_is_saved(self):
        for end, error in ((BenchError("CPU 1 did not come up"), "CPU 1 did not come up"), (None, None)):

            def measure(context, end=end):
                context.keep({"answer": 41})
                if end:
                    raise end
                return {"answer": 42}

            part = self.part(made_case(measure=measure))
            self.assertEqual((part["result"]["answer"], part.get("error")), (41 if end else 42, error))
            (_, first), (_, last) = self.saved
            self.assertEqual((first["result"], first["error"]), ({"answer": 41}, "it was ended"))
            self.assertEqual(last, part)

    def test_an_interrupt_leaves_what_is_saved(self):
        def measure(context):
            context.keep({"answer": 41})
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.part(made_case(measure=measure))
        self.assertEqual([part["result"] for _, part in self.saved], [{"answer": 41}])


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
            {
                "made": {**part, "result": {"answer": 39}}, "bad": {**part, "error": "it broke"},
                "half": {**part, "result": {"answer": 20}, "error": "it was ended"},
            },
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "page.md")
            path.write_text("# Page\n\n<!-- bench: targets -->\n<!-- end -->\n")
            page.update(path, document, {name: made_case(NAME=name) for name in ("made", "bad", "half")})
            text = path.read_text()
        self.assertEqual(page.names(text), ["targets", "machine", "made", "half"])
        self.assertIn("| made | at least 40 | 39 | **not met** |", text)
        self.assertIn("It is 39.", text)
        self.assertIn("`bad` could not be measured: it broke", text)
        self.assertIn("Not all of it was measured: it was ended.\n\nIt is 20.", text)
        self.assertEqual(text.count("it was ended"), 1)
        self.assertEqual(text.count("2 cores of Made"), 3)

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
            for what in ("TITLE", "SECONDS", "QUICK_SECONDS", "measure", "report", "targets"):
                self.assertTrue(hasattr(case, what), f"{name} has no {what}")


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

    def test_a_wrong_command_line_is_told_before_anything_is_built(self):
        with tempfile.TemporaryDirectory() as folder:
            for builder in ("cmake", "ninja"):
                path = Path(folder, builder)
                path.write_text("#!/bin/sh\necho it builds >&2\nexit 1\n")
                path.chmod(0o755)
            done = subprocess.run(
                [bench.ROOT / "bench", "no-such-case"], env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
                capture_output=True, text=True, check=False, timeout=100,
            )  # fmt: skip
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("there is no case no-such-case", done.stderr)
        self.assertNotIn("it builds", done.stderr)

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

    @needs_kvm
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

    @needs_kvm
    def test_what_is_ended_from_outside_keeps_what_it_has(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "numbers.json")
            command = [sys.executable, bench.__file__, "--build", BUILD, "--quick", "--json", path, "bring-up"]
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
                while process.poll() is None and not path.is_file():
                    time.sleep(0.01)
                process.terminate()
                _, told = process.communicate(timeout=60)
            part = json.loads(path.read_text())["cases"]["bring-up"]
        self.assertEqual(process.returncode, 130, told)
        self.assertIn("interrupted", told)
        self.assertEqual(part["error"], "it was ended")
        self.assertEqual({row["vcpus"] for row in part["result"]["rows"]}, {1})


if __name__ == "__main__":
    unittest.main()
