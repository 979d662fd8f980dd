"""`vmm suite` as a whole, with a script in the place of `vmm run`: what it prints, its JSON
against the schema, runs that hang and crash, and signals.
"""

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[3]
DRIVER = os.environ["REVEILLE_SUITE_DRIVER"]
PATIENCE = 60  # s, for what should end by itself
ONE_CPU = "[machine]\nvcpus = 1\n[bringup]\ntimeout_ms = 60000\n"
SHORT = "[machine]\nvcpus = 1\n[bringup]\ntimeout_ms = 1\n"
SHORT_BOUND_MS = 5022  # of the latter; the allowance takes most of it away where a test needs to

# Each scenario says in a comment what its run does. "$result VERDICT EXIT" writes a result.
FAKE = """#!/bin/sh
[ "$1" = run ] || exit 99
file=$2
while [ "$1" != --seed ]; do shift; done
seed=$2
result() {
  echo '{"schema": 1, "scenario": "'"$file"'", "title": "t", "backend": "kvm", "strategy": "split",'
  echo '"seed": '"$seed"', "exit": '"$2"', "verdict": "'"$1"'", "host": {}, "online": [0],'
  echo '"create_us": 1, "bringup_us": null, "decided_us": 1.5, "total_us": 4, "cpus": [],'
  echo '"faults": [], "invariants": [], "differences": ['"$3"']}'
  exit "$2"
}
eval "$(sed -n 's/^# //p' "$file")"
"""

PASSES = "result pass 0"
FAILS = """result fail 1 '"CPU 3 is late"'"""


def alive(pid):
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # the latter when it goes while it is read
        return False


class Suite(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reveille-suite-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.fake = self.folder / "fake-vmm"
        self.fake.write_text(FAKE)
        self.fake.chmod(0o755)
        (self.folder / "s").mkdir()
        schema = json.loads((ROOT / "docs/result.schema.json").read_text())
        schema["$ref"] = "#/$defs/suite"  # a mismatch is then told in its own terms
        del schema["oneOf"]
        self.validator = jsonschema.Draft202012Validator(schema)

    def scenario(self, name, does, text=ONE_CPU):
        path = self.folder / "s" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "".join(f"# {line}\n" for line in does.splitlines()))

    def command(self, *arguments, allowance=60_000, paths=("s",)):
        return [DRIVER, str(self.fake), str(allowance), *paths, *arguments]

    def start(self, *arguments, **more):
        process = subprocess.Popen(
            self.command("--json", "out.json", *arguments, **more), cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finish(self, process):
        self.out, self.err = process.communicate(timeout=PATIENCE)
        self.status = process.returncode
        out = self.folder / "out.json"
        self.json = json.loads(out.read_text()) if out.exists() else None

    def suite(self, *arguments, **more):
        """Runs one, and holds its result against the schema and itself."""
        self.finish(self.start(*arguments, **more))
        self.assert_sound()

    def assert_sound(self):
        self.assertIsNotNone(self.json, self.err)
        self.assertEqual([e.message for e in self.validator.iter_errors(self.json)], [])
        summary, runs = self.json["summary"], self.json["runs"]
        self.assertEqual(summary["exit"], self.status)
        self.assertEqual(summary["runs"], len(runs))
        for verdict in ("pass", "fail", "broken", "unsupported", "invalid", "interrupted"):
            self.assertEqual(summary[verdict], sum(r["verdict"] == verdict for r in runs), verdict)
        for failure in summary["failures"]:
            run = runs[failure["run"]]
            for key in ("scenario", "seed", "verdict"):
                self.assertEqual(run[key], failure[key])
        self.assertEqual(sum(s["runs"] for s in summary["scenarios"]), len(runs))

    def verdicts(self):
        return {r["scenario"]: r["verdict"] for r in self.json["runs"]}

    def wait_for(self, *names):
        """Until the runs have made these files."""
        deadline = time.monotonic() + PATIENCE
        while not all((self.folder / name).exists() for name in names):
            self.assertLess(time.monotonic(), deadline, "it never got there")
            time.sleep(0.01)

    def wait_for_end_of(self, name):
        """Of the run that wrote its process' number into this file."""
        deadline = time.monotonic() + PATIENCE
        while alive((self.folder / name).read_text().strip()):
            self.assertLess(time.monotonic(), deadline, "it goes on")
            time.sleep(0.01)

    def test_every_kind_of_end(self):
        self.scenario("a.toml", PASSES)
        self.scenario("b.toml", FAILS)
        self.scenario("c.toml", "kill -SEGV $$")
        self.scenario("d.toml", "echo garbage; exit 5")
        self.scenario("e.toml", "echo 'no KVM here' >&2; exit 3")
        self.scenario("f.toml", PASSES, text="[machine]\nvcpus = 0\n")
        self.scenario("g.toml", "trap '' TERM; while :; do sleep 0.05; done", text=SHORT)
        self.scenario("sub/h.toml", PASSES)
        os.mkfifo(self.folder / "s" / "i.toml")
        self.suite(allowance=500 - SHORT_BOUND_MS)
        self.assertEqual(
            self.verdicts(),
            {
                "s/a.toml": "pass", "s/b.toml": "fail", "s/c.toml": "broken", "s/d.toml": "broken",
                "s/e.toml": "unsupported", "s/f.toml": "invalid", "s/g.toml": "broken",
                "s/i.toml": "invalid", "s/sub/h.toml": "pass",
            },
        )  # fmt: skip
        self.assertEqual(self.status, 4)
        told = {f["scenario"]: f["difference"] for f in self.json["summary"]["failures"]}
        self.assertEqual(told["s/b.toml"], "CPU 3 is late")
        self.assertIn("signal 11 ended it", told["s/c.toml"])
        self.assertIn("status 5, and what it wrote is not a result", told["s/d.toml"])
        self.assertIn("s/f.toml:2:9: machine.vcpus", told["s/f.toml"])
        self.assertRegex(told["s/g.toml"], r"^hung: it was to end within 0\.5 s; (took|ended)")
        self.assertEqual(told["s/i.toml"], "s/i.toml: not a regular file")
        self.assertEqual(self.err, "", "a live line where there is no terminal")
        self.assertNotIn("\033", self.out)
        lines = [line.split()[:2] for line in self.out.splitlines() if re.match(r"[A-Z]", line)]
        self.assertEqual([name for _, name in lines[:9]], [f"s/{n}.toml" for n in "abcdefgi"] + ["s/sub/h.toml"])
        self.assertIn(["BROKEN", "s/g.toml"], lines)
        self.assertRegex(self.out, r"\nBROKEN  9 runs in .*: 2 pass, 1 fail, 3 broken, 1 unsupported, 2 invalid\n$")

    def test_results_are_the_runs_own(self):
        self.scenario("a.toml", PASSES)
        self.suite("--seed", "18446744073709551614")
        run = subprocess.run(
            [self.fake, "run", "s/a.toml", "--seed", "18446744073709551614"],
            cwd=self.folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.assertIn(run.stdout, (self.folder / "out.json").read_text())
        self.assertEqual(self.json["runs"][0]["seed"], 18446744073709551614)

    def test_exit_statuses(self):
        for does, status in ((PASSES, 0), ("exit 9", 4), (FAILS, 1), ("result unsupported 3", 3)):
            with self.subTest(does=does):
                self.scenario("a.toml", PASSES)
                self.scenario("b.toml", does)
                self.suite()
                self.assertEqual(self.status, status)

    def test_repeat(self):
        self.scenario("a.toml", 'case $seed in 11 | 13) ' + FAILS + ';; *) result pass 0;; esac')
        self.scenario("b.toml", PASSES)
        self.suite("--repeat", "5", "--seed", "10", "--set", "title='x y'")
        self.assertEqual(self.status, 1)
        self.assertEqual([r["seed"] for r in self.json["runs"]], [10, 11, 12, 13, 14] * 2)
        self.assertRegex(self.out, r"^FAIL +s/a.toml +2 of 5 runs failed .*\n +seed 11: CPU 3 is late\n +seed 13:")
        self.assertRegex(self.out, r"\nPASS +s/b.toml +5 runs ")
        commands = [f["command"] for f in self.json["summary"]["failures"]]
        again = "vmm run s/a.toml --set 'title='\\''x y'\\''' --seed "
        self.assertEqual(commands, [again + "11", again + "13"])
        for command in commands:
            self.assertIn(f"again: {command}\n", self.out)

    def test_shards(self):
        for name in "abcde":
            self.scenario(f"{name}.toml", PASSES)
        seen = []
        for shard in ("1/3", "2/3", "3/3"):
            self.suite("--shard", shard, "--repeat", "2")
            seen += [(r["scenario"], r["seed"]) for r in self.json["runs"]]
        self.assertEqual(sorted(seen), [(f"s/{n}.toml", seed) for n in "abcde" for seed in (0, 1)])
        self.suite("--shard", "9/9")
        self.assertEqual((self.status, self.json["runs"]), (0, []))
        self.assertEqual(self.out, "shard 9/9 has none of the 5 runs\n")

    def test_jobs_are_parallel_and_told_as_they_end(self):
        """a waits for b; the JSON is in the order of the suite all the same."""
        os.mkfifo(self.folder / "fifo")
        self.scenario("a.toml", "read x < fifo; " + PASSES)
        self.scenario("b.toml", "echo x > fifo; " + PASSES)
        self.suite("-j", "2")
        self.assertEqual(list(self.verdicts()), ["s/a.toml", "s/b.toml"])
        self.assertEqual(set(self.verdicts().values()), {"pass"})

    def test_json_to_standard_output(self):
        self.scenario("a.toml", PASSES)
        done = subprocess.run(
            self.command("--json", "-"), cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        self.assertEqual(list(self.validator.iter_errors(json.loads(done.stdout))), [])
        self.assertRegex(done.stderr, r"^PASS +s/a.toml")

    def test_interrupts(self):
        """One run ends by itself, the other one only by force; the last is not started."""
        self.scenario("a.toml", PASSES)
        self.scenario("b.toml", """trap 'result interrupted 130 \\"interrupted\\"' INT; echo $$ > b.pid; mv b.pid b; while :; do sleep 0.05; done""")
        self.scenario("c.toml", "trap '' INT; echo $$ > pid; mv pid c; while :; do sleep 0.05; done")
        self.scenario("d.toml", PASSES)
        process = self.start("-j", "2")
        self.wait_for("b", "c")
        process.send_signal(signal.SIGINT)
        self.wait_for_end_of("b")
        process.send_signal(signal.SIGTERM)
        self.finish(process)
        self.assert_sound()
        self.assertEqual(self.status, 130)
        self.assertFalse(alive((self.folder / "c").read_text().strip()))
        self.assertEqual(
            self.verdicts(), {"s/a.toml": "pass", "s/b.toml": "interrupted", "s/c.toml": "interrupted"}
        )
        self.assertEqual(self.json["summary"]["not_run"], 1)
        self.assertEqual(self.json["runs"][1]["create_us"], 1, "its own result")
        self.assertIn("signal 9 ended it", self.json["runs"][2]["differences"][0])
        self.assertRegex(self.out, r"\nINTERRUPTED  3 runs in .*: 1 pass, 2 interrupted, 1 not run\n$")

    def test_an_interrupted_suite_is_interrupted_whatever_its_runs_say(self):
        self.scenario("a.toml", "trap '' INT; touch a; while [ ! -e go ]; do sleep 0.05; done; " + PASSES)
        self.scenario("b.toml", PASSES)
        process = self.start()
        self.wait_for("a")
        process.send_signal(signal.SIGINT)
        (self.folder / "go").touch()
        self.finish(process)
        self.assert_sound()
        self.assertEqual((self.status, self.verdicts()), (130, {"s/a.toml": "pass"}))

    def test_nobody_outlives_a_suite_that_is_killed(self):
        self.scenario("a.toml", "echo $$ > pid; mv pid a; exec sleep 1000")
        process = self.start()
        self.wait_for("a")
        pid = (self.folder / "a").read_text().strip()
        self.assertTrue(alive(pid))
        process.kill()
        process.wait()
        self.wait_for_end_of("a")

    def on_terminal(self, **environment):
        """What a suite writes to a terminal."""
        self.scenario("a.toml", FAILS)
        self.scenario("b.toml", PASSES)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm", **environment},
        )  # fmt: skip
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(ours, 4096):
                text += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        process.wait(PATIENCE)
        return text.decode()

    def test_on_a_terminal(self):
        text = self.on_terminal(NO_COLOR="")
        self.assertIn("0/2 done, running: s/a.toml", text)
        self.assertIn("1/2 done, 1 failed, running: s/b.toml", text)
        self.assertIn("\033[1;31mFAIL", text)
        self.assertNotIn("\033[1;31mFAIL", self.on_terminal(NO_COLOR="1"))

    def test_a_terminal_that_moves_no_cursor_has_plain_lines(self):
        for term in ("dumb", ""):
            text = self.on_terminal(TERM=term)
            self.assertNotIn("\033", text)
            self.assertTrue(text.startswith("FAIL "), text)

    def test_what_this_process_may_not_have_is_exit_3(self):
        self.scenario("a.toml", "touch ran; " + PASSES)
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (66, 66))  # noqa: E731
        for jobs, descriptors in (("1", 68), ("100", 464)):
            done = subprocess.run(
                self.command("-j", jobs), cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
                preexec_fn=few,
            )  # fmt: skip
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            message = f"vmm suite: -j {jobs} takes {descriptors} file descriptors and this process may have 66; raise "
            self.assertTrue(done.stderr.startswith(message), done.stderr)
            self.assertFalse((self.folder / "ran").exists())

    def test_a_soft_limit_is_raised(self):
        self.scenario("a.toml", PASSES)
        soft = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (10, 4096))  # noqa: E731
        done = subprocess.run(
            self.command(), cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
            preexec_fn=soft,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_refused_before_anything_runs(self):
        self.scenario("a.toml", "touch ran; " + PASSES)
        (self.folder / "empty").mkdir()
        for paths, arguments, complaint in (
            (("s", "none"), (), "vmm suite: none: No such file or directory\n"),
            (("s", "empty"), (), "vmm suite: empty: there is no *.toml in this folder or below\n"),
            (("s", "-"), (), "vmm suite: a suite is of files and folders; vmm run - reads standard input\n"),
            (("s",), ("-j", "0"), '-j: "0" is not a number from 1 to 256\n'),
        ):
            with self.subTest(paths=paths, arguments=arguments):
                self.finish(self.start(*arguments, paths=paths))
                self.assertEqual((self.status, self.out, self.err), (2, "", complaint))
                self.assertFalse((self.folder / "ran").exists())

    def test_a_result_that_cannot_be_written(self):
        self.scenario("a.toml", PASSES)
        done = subprocess.run(
            self.command("--json", "no/such/out.json"),
            cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, 2)
        self.assertIn("vmm suite: cannot write the result to no/such/out.json", done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
