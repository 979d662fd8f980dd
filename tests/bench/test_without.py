"""The case `without` of ./bench: its patches fit the tree and are built when they change, and its numbers are sound."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import bench
import context
import copies
import stats
from cases import without
from errors import BenchError, OutOfTime
from testing import needs_kvm, some_context


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Mechanisms(InAFolder):
    table = without.mechanisms()

    def test_each_patch_fits_the_tree(self):
        for each in self.table:
            if "patch" not in each:
                continue
            with self.subTest(each["id"]):
                files = copies.touched(each["patch"])
                self.assertGreater(len(files), 0)
                for file in files:
                    Path(self.folder, file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(bench.ROOT / file, self.folder / file)
                copies.apply(each["patch"], self.folder)
                for file in files:
                    self.assertNotEqual((bench.ROOT / file).read_bytes(), (self.folder / file).read_bytes())

    def test_the_table_is_sound(self):
        ids = [each["id"] for each in self.table]
        self.assertEqual(len(set(ids)), len(ids))
        patches = {path.stem for path in without.FOLDER.glob("*.patch")}
        self.assertEqual(patches, {each["id"] for each in self.table if "patch" in each})
        for each in self.table:
            with self.subTest(each["id"]):
                self.assertNotEqual("patch" in each, "options" in each)
                self.assertEqual("patch" in each, "targets" in each)
                self.assertLessEqual(set(each.get("targets", [])), set(copies.PROGRAMS))
                for measured in each["measured"]:
                    self.assertIn(measured["run"], without.RUNS)
                    self.assertIn((measured["run"], measured["what"]), without.FIGURES)
                    self.assertLessEqual(set(measured.get("quick", [])), set(measured["vcpus"]))

    def test_what_a_patch_changes_is_built(self):
        built = {"core": {"guest", "vmm", "sync_point"}, "guest": {"guest"}, "vmm": {"vmm"}, "tests": {"sync_point"}}
        for each in self.table:
            for file in copies.touched(each["patch"]) if "patch" in each else []:
                self.assertTrue(built[file.split("/")[0]] & set(each["targets"]), (each["id"], file))

    def test_the_plan(self):
        groups = without.plan(self.table, quick=False)
        self.assertEqual([vcpus for _, vcpus in groups], sorted(vcpus for _, vcpus in groups))
        shown = sum(len(without.figures_of(e, *key)) for key, group in groups.items() for e in group)
        self.assertEqual(shown, sum(len(m["vcpus"]) for e in self.table for m in e["measured"]))
        self.assertLess(len(without.plan(self.table, quick=True)), len(groups))
        self.assertEqual(set(groups), set(without.SHARES))


class Copies(InAFolder):
    BEFORE, BEHIND = "top\na\nb\nc\n", "x\ny\nz\n"

    def setUp(self):
        super().setUp()
        self.root, self.tree = self.folder / "root", self.folder / "build/without/tree"
        for part in copies.PARTS:
            (self.root / part).mkdir(parents=True)
        (self.root / "core/one.hpp").write_text(self.BEFORE + "one\n" + self.BEHIND)
        (self.root / "core/two.hpp").write_text("int two;\n")
        self.patch = self.folder / "p.patch"
        lines = " a\n b\n c\n-one\n x\n y\n z\n"
        name = "core/one.hpp"
        head = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -2,7 +2,6 @@\n"
        self.patch.write_text(head + lines)
        (self.folder / "build/bin").mkdir(parents=True)
        for program in ("timed", *copies.PROGRAMS.values()):
            (self.folder / "build/bin" / program).write_text("the product's")
        product = context.Context(self.root, self.folder / "build", True, lambda line: None)
        self.workshop = copies.Workshop(product)
        self.calls = []
        self.workshop.options = lambda: []
        self.workshop.call = self.call

    def call(self, command):
        """In place of cmake and ninja: what is built holds what the tree has."""
        self.calls.append(command[0])
        if command[0] == "ninja":
            programs = self.workshop.build / "bin"
            programs.mkdir(parents=True, exist_ok=True)
            (programs / "guest.elf").write_text((self.tree / "core/one.hpp").read_text())

    def test_only_what_differs_is_written(self):
        copies.follow(self.root, self.tree)
        before = {path: file.stat().st_mtime_ns for path, file in copies.sources(self.tree).items()}
        self.assertEqual(before.keys(), copies.sources(self.root).keys())
        os.utime(self.root / "core/two.hpp")
        (self.root / "core/one.hpp").unlink()
        (self.root / "core/three.hpp").write_text("int three;\n")
        copies.follow(self.root, self.tree)
        after = {path: file.stat().st_mtime_ns for path, file in copies.sources(self.tree).items()}
        self.assertEqual(sorted(map(str, after)), ["core/three.hpp", "core/two.hpp"])
        self.assertEqual(after[Path("core/two.hpp")], before[Path("core/two.hpp")])

    def test_a_copy_has_the_patch_and_else_the_products_programs(self):
        subprocess.run(["git", "init", "-q", self.folder], check=True)  # as the copy is in the repository
        copy = self.workshop.make("p", self.patch, ["guest"])
        self.assertEqual(copy.guest.read_text(), self.BEFORE + self.BEHIND)
        self.assertTrue(copy.vmm.samefile(self.folder / "build/bin/vmm"))
        self.assertEqual((self.root / "core/one.hpp").read_text(), self.BEFORE + "one\n" + self.BEHIND)

    def test_it_is_built_again_only_when_something_has_changed(self):
        self.workshop.make("p", self.patch, ["guest"])
        self.workshop.make("p", self.patch, ["guest"])
        self.assertEqual(self.calls, ["cmake", "ninja"])
        (self.root / "core/two.hpp").write_text("int two = 2;\n")
        self.workshop.make("p", self.patch, ["guest"])
        self.assertEqual(self.calls.count("ninja"), 2)
        (self.root / "core/one.hpp").write_text("moved\n" + self.BEFORE + "one\n" + self.BEHIND)
        copy = self.workshop.make("p", self.patch, ["guest"])
        self.assertEqual(copy.guest.read_text(), "moved\n" + self.BEFORE + self.BEHIND)

    def test_a_patch_that_does_not_fit_is_an_error(self):
        (self.root / "core/one.hpp").write_text(self.BEFORE + "other\n" + self.BEHIND)
        with self.assertRaisesRegex(BenchError, "p.patch does not fit the tree: .*core/one.hpp"):
            self.workshop.make("p", self.patch, ["guest"])
        self.assertEqual(self.calls, [])

    def test_what_does_not_build_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "does not build: broken"):
            copies.Workshop.call(self.workshop, ["sh", "-c", "echo broken; exit 1"])


class Numbers(InAFolder):
    table = without.mechanisms()

    def each(self, name):
        return next(each for each in self.table if each["id"] == name)

    def result(self, *rows):
        return {"mechanisms": self.table, "rows": list(rows)}

    def row(self, product, copy, figure=("serial", "bringup_ms"), vcpus=8):
        taken = [None if values is None else [{figure[1]: value} for value in values] for values in (product, copy)]
        return without.row_of(self.each("arrival-map"), figure, vcpus, *taken)

    def test_the_ratio_is_of_one_round_and_above_1_where_it_helps(self):
        row = self.row([10, 20, 40], [20, 30])
        self.assertEqual(row["ratio"]["values"], [2, 1.5])
        self.assertEqual(self.row([200], [100], ("suite", "rate"))["ratio"]["values"], [2])

    def test_the_rounds_decide_what_is_said(self):
        for better, worse, word in (
            (3, 0, "better"), (0, 3, "worse"), (2, 1, "nothing"), (2, 0, None), (5, 1, "nothing"), (6, 0, "better"),
            (11, 4, "nothing"), (12, 3, "better"), (3, 12, "worse"),
        ):  # fmt: skip
            row = self.row([10] * (better + worse), [12] * better + [9] * worse)
            self.assertEqual(without.tells(row), word, (better, worse))
            text = without.report(self.result(row))
            self.assertIn(f"| {better} of {better + worse} rounds |", text)
            self.assertEqual("no difference can be told" in text, word == "nothing")
            self.assertEqual("costs more than it saves" in text, word == "worse")

    def test_a_copy_that_takes_too_long_is_not_run_again(self):
        runs = []

        def run(workplace, vcpus, options, patience):
            runs.append(workplace)
            if workplace == "the copy":
                raise OutOfTime("too long")
            return {"bringup_ms": 1.0}

        places = {without.PRODUCT: "the product", "arrival-map": "the copy"}
        with mock.patch.dict(without.RUNS, {"serial": run}):
            group = [self.each("arrival-map")]
            (row,) = without.measure_group(some_context(), places, "serial", 64, group)
            self.assertEqual((runs.count("the product"), runs.count("the copy")), (3, 1))
            text = without.report(self.result(row))
            self.assertIn(f"| more than {without.COPY_PATIENCE} s each | - | - |", text)
            places["product"] = "the copy"
            with self.assertRaises(OutOfTime):
                without.measure_group(some_context(), places, "serial", 64, group)

    def test_a_copy_whose_cpus_do_not_come_up_is_an_error_of_its_own(self):
        def run(workplace, *_):
            raise BenchError(f"{workplace}: CPUs [1] did not come up")

        runs = mock.patch.dict(without.RUNS, {"serial": run})
        with runs, self.assertRaisesRegex(BenchError, "^product: a: CPUs"):
            without.measure_group(some_context(), {without.PRODUCT: "a"}, "serial", 8, [])

    def test_a_suite_whose_runs_do_not_all_pass_is_no_number(self):
        runs = [{"verdict": "pass"}] * without.SUITE_RUNS
        without.check_suite(runs)
        for wrong in (runs[1:], [{"verdict": "fail"}, *runs[1:]]):
            with self.assertRaisesRegex(BenchError, f"{without.SUITE_RUNS - 1} of {without.SUITE_RUNS} runs"):
                without.check_suite(wrong)

    def test_the_plot_is_of_what_an_ap_costs(self):
        rows = [self.row([7, 7], [14, 14]), self.row([63, 63], [630, 630], vcpus=64)]
        rows.append(self.row([999, 999], None, vcpus=1000))
        with_it, without_it = without.series(self.result(*rows))
        self.assertEqual([cost["median"] for cost in with_it["y"]], [1, 1, 1])
        self.assertEqual((without_it["x"], [cost["median"] for cost in without_it["y"]]), ([8, 64], [2, 10]))
        ((file, _),) = without.plots(self.result(*rows), self.folder)
        self.assertIn("one by one, a look at every CPU", (self.folder / file).read_text())
        self.assertEqual(without.plots(self.result(), self.folder), [])

    @needs_kvm
    def test_each_kind_of_run_has_its_figures(self):
        few = mock.patch.multiple(without, SUITE_RUNS=3, SYNC_REPEATS=1)
        with few, mock.patch.object(without, "check_suite", wraps=without.check_suite) as checked:
            for run, vcpus in {(m["run"], m["vcpus"][0]) for each in self.table for m in each["measured"]}:
                figures = without.RUNS[run](some_context(), min(vcpus, 4), (), without.PATIENCE)
                wanted = {m["what"] for each in self.table for m in each["measured"] if m["run"] == run}
                self.assertLessEqual(wanted, figures.keys())
                self.assertGreater(min(figures.values()), 0)
        self.assertEqual(checked.call_count, sum("suite" in run for run in without.RUNS))


if __name__ == "__main__":
    unittest.main()
