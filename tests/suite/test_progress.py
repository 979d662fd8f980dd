"""How `vmm run` shows what it is doing: a grid that is drawn in place, and leaves nothing behind."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import unittest
from pathlib import Path

import run_scenario
from screen import Screen

VMM = os.environ.get("REVEILLE_VMM", str(run_scenario.ROOT / "build/bin/vmm"))
LONG = "[machine]\nvcpus = {}\n[bringup]\ncycles = 100000\n"  # hours
PATIENCE = 60  # s
FRAME = "\033[?7l"
COLOUR = re.compile("\033\\[[\\d;]*m")


class Progress(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, vcpus, arguments=(), **popen):
        (self.folder / "long.toml").write_text(LONG.format(vcpus))
        command = [VMM, "run", "long.toml", "--backend", "sim", *arguments]
        environment = {**os.environ, "TERM": "xterm", **popen.pop("env", {})}
        process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, env=environment, **popen
        )  # fmt: skip
        self.addCleanup(process.kill)
        return process

    def watch(self, vcpus, sizes, arguments=(), frames=3, **environment):
        """What a terminal of each of these sizes in turn, (columns, lines), is sent in some frames each, and at
        the end, when Ctrl-C has come."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = None
        pieces = []
        for columns, lines in sizes:
            fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            if process is None:
                process = self.start(
                    vcpus, arguments, stdout=subprocess.DEVNULL, stderr=theirs, env=environment
                )  # fmt: skip
                os.close(theirs)
            seen = ""
            while seen.count(FRAME) < frames:
                seen += self.read(ours)
            pieces.append(seen)
        process.send_signal(signal.SIGINT)
        while piece := self.read(ours):
            pieces[-1] += piece
        self.assertEqual(process.wait(PATIENCE), 130)
        return pieces

    def read(self, fd):
        self.assertTrue(select.select([fd], [], [], PATIENCE)[0], "nothing more is drawn")
        try:
            return os.read(fd, 65536).decode()
        except OSError:  # nobody has the other end any more
            return ""

    def test_the_grid_is_drawn_in_place_and_leaves_nothing(self):
        for vcpus, columns, lines in ((8, 80, 24), (255, 20, 60), (255, 80, 4), (1000, 200, 10)):
            with self.subTest(vcpus=vcpus, columns=columns, lines=lines):
                (text,) = self.watch(vcpus, [(columns, lines)])
                screen = Screen(columns, lines)
                screen.feed("above\r\n")
                first, *frames = text.split(FRAME)
                screen.feed(first)
                for frame in frames[:-1]:
                    screen.feed(FRAME + frame)
                    self.assertEqual(screen.lines[0], "above")
                    self.assertIn(" ms  cycle ", screen.lines[1], "it is not where it was")
                    self.assertEqual(screen.text().count(" ms  cycle "), 1, "an older one is still there")
                    self.assertLessEqual(len(screen.lines) - 1, lines - 1)
                screen.feed(FRAME + frames[-1])
                self.assertEqual(screen.text(), "above", "something is left behind")
                self.assertEqual((screen.row, screen.column), (1, 0))
                self.assertTrue(screen.wraps)
                self.assertEqual(screen.unknown, [])

    def test_it_has_the_cells_of_all_cpus(self):
        (text,) = self.watch(1000, [(80, 24)], NO_COLOR="1")
        rows = re.findall(r"\n *\d+ ([^\n]*?)\033\[K", text.split(FRAME)[2])
        self.assertEqual(sum(len(row.replace(" ", "")) for row in rows), 1000)

    def test_it_follows_the_size_of_the_terminal(self):
        wide, narrow = self.watch(255, [(200, 50), (40, 12)], NO_COLOR="1")
        most = max(len(line) for line in re.split("\033\\[K", wide.split(FRAME)[2]))
        self.assertGreater(most, 120)
        last = narrow.split(FRAME)[-2]
        self.assertLessEqual(last.count("\n"), 11)
        for line in re.split("\033\\[K", last.split("\033[?7h")[0]):
            self.assertLessEqual(len(line.strip("\r\n")), 40)

    def test_colours_only_where_they_are_wanted(self):
        (text,) = self.watch(8, [(80, 24)], NO_COLOR="")
        self.assertRegex(text, COLOUR)
        (text,) = self.watch(8, [(80, 24)], NO_COLOR="1")
        self.assertNotRegex(text, COLOUR)
        self.assertIn("C control CPU", text, "letters must do")

    def test_a_pipe_gets_plain_lines(self):
        process = self.start(1000, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = process.stderr.readline()
        self.assertRegex(line, r"^ *[\d.]+ ms  cycle \d+/100000  active \d+ of 999")
        self.assertNotIn("\033", line)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(timeout=PATIENCE)[1], "")

    def test_the_log_is_not_drawn_over(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = self.start(1000, ["--log-level", "debug"], stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        text = self.read(ours)  # the line of after two seconds
        self.assertIn("active", text)
        self.assertNotIn("\033", text)
        process.send_signal(signal.SIGINT)
        while self.read(ours):
            pass
        self.assertEqual(process.wait(PATIENCE), 130)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
