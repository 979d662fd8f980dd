"""`vmm suite` with real runs: files, a folder, what is invalid, and Ctrl-C."""

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import jsonschema
import lab

STALL = lab.scenario(
    vcpus=4, timeout_ms=60_000, faults=["cpu = 3; at = 'started'; action = 'stall'; duration_ms = 50000"]
)


class Suite(lab.LabCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reveille-suite-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out.json"

    def scenario(self, name, text):
        path = self.folder / "s" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def start(self, *arguments):
        process = subprocess.Popen(
            [lab.VMM, "suite", *arguments, "--json", self.out], cwd=lab.ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finish(self, process):
        """Its runs by the names of their files, all of them and the whole sound."""
        self.report, self.err = process.communicate(timeout=lab.PATIENCE)
        self.status = process.returncode
        suite = json.loads(self.out.read_text())
        schema = json.loads((lab.ROOT / "docs/result.schema.json").read_text())
        self.assertEqual(list(jsonschema.Draft202012Validator(schema).iter_errors(suite)), [])
        for run in suite["runs"]:
            self.assertEqual(list(lab.run_scenario.contradictions(run, run["exit"])), [])
        self.summary = suite["summary"]
        return {Path(run["scenario"]).name: run for run in suite["runs"]}

    def test_files_and_a_folder(self):
        self.scenario("invalid.toml", "[machine]\nvcpus = 0\n")
        self.scenario("sub/late.toml", lab.scenario(expect="online = [0, 1]\nfailed = { '2-3' = 'timeout@alive' }"))
        self.scenario("sub/down.toml", lab.scenario(faults=["cpu = 1; at = 'alive'; action = 'crash'"],
                                                    expect="failed = { 1 = 'crash@alive' }"))  # fmt: skip
        runs = self.finish(self.start("configs/parallel-8.toml", str(self.folder / "s"), "-j", "2", "--seed", "6"))
        self.assertEqual(
            {name: run["verdict"] for name, run in runs.items()},
            {"parallel-8.toml": "pass", "invalid.toml": "invalid", "late.toml": "fail", "down.toml": "pass"},
            self.report,
        )
        self.assertEqual((self.status, self.summary["exit"], self.err), (2, 2, ""))
        self.assertEqual(runs["parallel-8.toml"]["online"], list(range(8)))
        self.assertEqual({run["seed"] for run in runs.values()}, {6})
        # The command that is given repeats it.
        (again,) = (f["command"] for f in self.summary["failures"] if f["verdict"] == "fail")
        self.assertIn(f"again: {again}\n", self.report)
        repeated = subprocess.run(shlex.split(again), cwd=lab.ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(repeated.returncode, 1, repeated.stderr)

    def test_an_interrupt_is_passed_on(self):
        """The run ends as it does when it is interrupted by itself, with what it saw."""
        self.scenario("a.toml", STALL)
        self.scenario("b.toml", lab.scenario())
        process = self.start(str(self.folder / "s"))
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        runs = self.finish(process)
        self.assertEqual(self.status, 130)
        self.assertEqual(list(runs), ["a.toml"])
        self.assertEqual(runs["a.toml"]["verdict"], "interrupted")
        self.assertEqual(runs["a.toml"]["online"], [0, 1, 2])
        self.assertEqual(self.summary["not_run"], 1)

    def test_repeat(self):
        self.scenario("a.toml", lab.scenario())
        runs = self.finish(self.start(str(self.folder / "s"), "--repeat", "3", "--seed", "4"))
        self.assertEqual(self.status, 0, self.report)
        self.assertEqual((self.summary["runs"], runs["a.toml"]["seed"]), (3, 6))
        self.assertRegex(self.report, r"^PASS +\S+/a\.toml +3 runs ")

    def starts(self, *options):
        """How the machine of each run began, after the first; new ones say nothing."""
        self.finish(self.start(str(self.folder / "s"), "--repeat", "2", *options))
        self.assertEqual(self.status, 0, self.report)
        return [run.get("start") for run in json.loads(self.out.read_text())["runs"]]

    def test_a_machine_is_used_again(self):
        self.scenario("a.toml", lab.scenario())
        self.scenario("b.toml", lab.scenario(bringup="strategy = 'serial'"))
        self.assertEqual(self.starts(), [None, "zero", "again", "zero"])
        self.assertEqual(self.starts("--set", "machine.apic=user"), [None, "again", "again", "again"])
        self.assertEqual(self.starts("--fresh"), [None] * 4)

    def test_machines_that_are_not_used_again_go_beside_the_next_run(self):
        self.scenario("a.toml", lab.scenario(faults=["cpu = 3; at = 'firmware'; action = 'unlisted'"],
                                             expect="failed = { 3 = 'lost@alive' }"))  # fmt: skip
        self.finish(self.start(str(self.folder / "s"), "--repeat", "20"))
        self.assertEqual((self.status, self.summary["pass"]), (0, 20), self.report)

    def test_a_worker_that_dies_takes_no_other_run_with_it(self):
        self.scenario("a.toml", STALL)
        self.scenario("b.toml", lab.scenario())
        process = self.start(str(self.folder / "s"))
        time.sleep(1.0)
        (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        runs = self.finish(process)
        self.assertEqual({name: run["verdict"] for name, run in runs.items()}, {"a.toml": "broken", "b.toml": "pass"})


if __name__ == "__main__":
    lab.main()
