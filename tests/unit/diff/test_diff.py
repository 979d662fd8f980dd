"""vmm diff with the results of simulated runs: one with a delay, one with a stall, suites, and no results."""

import os
import pty
import subprocess
import tempfile
import unittest
from pathlib import Path

VMM = os.environ["REVEILLE_VMM"]
SCENARIO = """[machine]
vcpus = 6
[bringup]
timeout_ms = 200
[[fault]]
cpu = "3-5"
at = "alive"
action = "{}"
"""
SOUND = SCENARIO.split("[[fault]]", maxsplit=1)[0]


class Diff(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reveille-diff-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.before = self.result("before", SOUND)

    def vmm(self, *arguments, **more):
        return subprocess.run(
            [VMM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60, **more
        )

    def result(self, name, scenario, command="run"):
        """The JSON of a simulated run."""
        (self.folder / "s.toml").write_text(scenario)
        path = self.folder / f"{name}.json"
        self.vmm(command, self.folder / "s.toml", "--backend", "sim", "--json", path)
        return path

    def test_a_delay_is_slower_and_no_other_outcome(self):
        delay = SCENARIO.format("delay").replace('"3-5"', '"all"') + "duration_ms = 20\n"
        done = self.vmm("diff", self.before, self.result("after", delay))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("the same of 6 CPUs", done.stdout)
        alive = next(line for line in done.stdout.splitlines() if line.startswith("  alive"))
        self.assertTrue(alive.endswith("slower"), alive)
        self.assertNotIn("\033", done.stdout)

    def test_a_stall_is_another_outcome(self):
        after = self.result("after", SCENARIO.format("stall"))
        done = self.vmm("diff", self.before, after)
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        self.assertIn("CPUs 3-5: online -> timeout@alive", done.stdout)
        self.assertIn("verdict: PASS -> FAIL", done.stdout)
        self.assertIn("failed: CPUs 3-5", done.stdout)

    def test_standard_input_is_one_of_the_two(self):
        with self.before.open() as text:
            done = self.vmm("diff", self.before, "-", stdin=text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("after  standard input", done.stdout)

    def test_suites_run_by_run(self):
        before = self.result("one", SOUND, "suite")
        after = self.result("two", SCENARIO.format("stall"), "suite")
        done = self.vmm("diff", before, after)
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        self.assertIn("CPUs 3-5: online -> timeout@alive", done.stdout)
        self.assertIn("1 run compared: 1 with another outcome", done.stdout)
        self.assertEqual(self.vmm("diff", before, before).returncode, 0)
        mixed = self.vmm("diff", before, self.before)
        self.assertEqual(mixed.returncode, 2)
        self.assertIn(f"{before} is a suite and {self.before} one run", mixed.stderr)

    def test_what_is_no_result_is_one_line_that_names_it(self):
        torn = self.folder / "torn.json"
        torn.write_bytes(self.before.read_bytes()[:-200])
        for path, what in (
            (torn, "cut short"),
            (self.folder / "s.toml", "not JSON: line 1"),
            (self.folder, "Is a directory"),
            (self.folder / "none.json", "No such file"),
        ):
            for files in ((path, self.before), (self.before, path)):
                done = self.vmm("diff", *files)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertIn(f"vmm diff: {path}: ", done.stderr)
                self.assertIn(what, done.stderr)

    def test_colours_are_for_terminals_that_want_them(self):
        for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            ours, theirs = pty.openpty()
            environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "", **extra}
            subprocess.run([VMM, "diff", self.before, self.before], stdout=theirs, check=True, timeout=60, env=environment)
            os.close(theirs)
            text = b""
            try:
                while piece := os.read(ours, 65536):
                    text += piece
            except OSError:  # the end of a terminal
                pass
            os.close(ours)
            self.assertEqual(b"\033[" in text, coloured)


if __name__ == "__main__":
    unittest.main()
