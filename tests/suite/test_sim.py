"""`vmm run --backend sim` as a program: it shows how far it is, and Ctrl-C ends it with what was seen."""

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import run_scenario

VMM = os.environ.get("REVEILLE_VMM", str(run_scenario.ROOT / "build/bin/vmm"))
LONG = "[machine]\nvcpus = 1000\n[bringup]\ncycles = 100000\n"  # hours
PATIENCE = 60  # s


class Sim(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "long.toml").write_text(LONG)

    def start(self, **popen):
        command = [VMM, "run", "long.toml", "--backend", "sim", "--json", "result.json"]
        process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, **popen)
        self.addCleanup(process.kill)
        return process

    def test_ctrl_c(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(0.7)
            self.assertIsNone(process.poll(), "it was over before the signal came")
            process.send_signal(number)
            out, _ = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 130)
            result = json.loads((self.folder / "result.json").read_text())
            self.assertEqual(list(run_scenario.schema_errors(result)), [])
            self.assertEqual(result["verdict"], "interrupted")
            self.assertGreater(max(cpu["attempts"] for cpu in result["cpus"]), 0)
            self.assertIn("INTERRUPTED", out)

    def test_progress_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = self.start(stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        seen = b""
        while b"active" not in seen or b"cycle" not in seen:
            seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        self.drain(ours)
        self.assertEqual(process.wait(PATIENCE), 130)

    def drain(self, fd):
        """Reads until nobody has the other end any more."""
        try:
            while os.read(fd, 4096):
                pass
        except OSError:
            os.close(fd)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
