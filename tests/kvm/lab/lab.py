"""What the tests of `vmm run` share: scenarios, runs of the binary, and what came of them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/suite"))
import run_scenario  # noqa: E402

VMM = os.environ.get("REVEILLE_VMM", str(ROOT / "build/bin/vmm"))
GUESTS = Path(VMM).resolve().parent / "hostile"
SKIPPED = 77
POINTS = ("kick", "alive", "started", "synced", "online", "idle", "active")
PATIENCE = 100  # s, for a run that should end by itself: longer than any bound in these tests


def scenario(vcpus=4, timeout_ms=300, faults=(), bringup="", expect=""):
    """The text of a scenario; a fault is a string of its keys, separated by semicolons."""
    text = f"[machine]\nvcpus = {vcpus}\n\n[bringup]\ntimeout_ms = {timeout_ms}\n{bringup}\n"
    for fault in faults:
        text += "\n[[fault]]\n" + "\n".join(key.strip() for key in fault.split(";")) + "\n"
    return text + (f"\n[expect]\n{expect}\n" if expect else "")


class Run:
    """One run of the vmm in a folder of its own."""

    def __init__(self, text, *arguments, prefix=(), prepare=None, **popen):
        self.folder = tempfile.TemporaryDirectory(prefix="reveille-lab-")
        self.json_path = Path(self.folder.name, "result.json")
        Path(self.folder.name, "scenario.toml").write_text(text)
        if prepare:
            prepare(self.json_path)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, VMM, "run", "scenario.toml", "--json", "result.json", *arguments],
            cwd=self.folder.name, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **popen,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.folder.cleanup()

    def finish(self, patience=PATIENCE):
        """Waits for its end, and reads what it left."""
        self.out, self.err = self.process.communicate(timeout=patience)
        self.seconds = time.monotonic() - self.began
        self.status = self.process.returncode
        self.files = sorted(os.listdir(self.folder.name))
        self.result = json.loads(self.json_path.read_text()) if self.json_path.is_file() else None
        self.report = " ".join(self.out.split())  # what people read, without its line breaks
        return self

    def interrupt(self, number=signal.SIGINT):
        """Sends a signal; returns the time at which it did."""
        self.process.send_signal(number)
        return time.monotonic()

    def cpu(self, index):
        return self.result["cpus"][index]


class LabCase(unittest.TestCase):
    """Tests that run the vmm."""

    def run_lab(self, text, *arguments, patience=PATIENCE, **popen):
        with Run(text, *arguments, **popen) as run:
            return run.finish(patience)

    def assert_sound(self, run):
        """The result is there, fits its schema, and agrees with itself and the exit status."""
        self.assertIsNotNone(run.result, run.err)
        self.assertEqual(list(run_scenario.schema_errors(run.result)), [])
        self.assertEqual(list(run_scenario.contradictions(run.result, run.status)), [])
        self.assertEqual(run.files, ["result.json", "scenario.toml"], "something was left behind")

    def assert_passes(self, run):
        self.assertEqual(run.status, 0, run.out + run.err)
        self.assert_sound(run)


def main():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: /dev/kvm is missing, or not for this user")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
