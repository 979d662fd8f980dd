"""Ctrl-C and SIGTERM: a run ends soon, tells what it saw, and leaves nothing behind."""

import os
import signal
import subprocess
import time

import lab

SOON = 5  # s, generously: a run ends within one where nothing else wants the processors
STALL = lab.scenario(
    vcpus=4, timeout_ms=60_000, faults=["cpu = 3; at = 'started'; action = 'stall'; duration_ms = 50000"]
)
SPIN = lab.scenario(
    vcpus=64, timeout_ms=60_000, bringup='wait = "spin"',
    faults=["cpu = 63; at = 'started'; action = 'freeze'; duration_ms = 50000"],
)  # fmt: skip


class Interrupt(lab.LabCase):
    def interrupted(self, text, after, number=signal.SIGINT, **popen):
        """A run that got a signal some seconds after its start, finished."""
        with lab.Run(text, **popen) as run:
            time.sleep(after)
            self.assertIsNone(run.process.poll(), "it was over before the signal came")
            sent = run.interrupt(number)
            run.finish()
            run.took = time.monotonic() - sent
        print(f"{run.took:.3f} s from the signal to the end")
        self.assertLess(run.took, SOON)
        return run

    def assert_interrupted(self, run):
        self.assertEqual(run.status, 130, run.err)
        self.assert_sound(run)
        self.assertEqual(run.result["verdict"], "interrupted")
        self.assertRegex(run.result["differences"][0], "^interrupted")

    def test_a_long_stall(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            run = self.interrupted(STALL, 1.0, number)
            self.assert_interrupted(run)
            # What was seen until then: two CPUs are up, and the third is on its way.
            self.assertEqual(run.result["online"], [0, 1, 2])
            self.assertEqual(run.cpu(3)["reason"], "lost@started")
            self.assertIsNotNone(run.cpu(3)["points"]["alive"])
            self.assertIn("INTERRUPTED 3 of 4 online", run.report)
            self.assertIn("held by fault 0, stall at started for 50000 ms", run.report)

    def test_64_spinning_cpus(self):
        run = self.interrupted(SPIN, 2.0)
        self.assert_interrupted(run)
        self.assertEqual(len(run.result["cpus"]), 64)

    def test_during_the_creation_of_a_large_machine(self):
        text = lab.scenario(vcpus=1000, timeout_ms=60_000, bringup='wait = "spin"')
        for after in (0.05, 0.2, 0.4, 0.6, 0.8):
            self.assert_interrupted(self.interrupted(text, after))

    def test_right_at_the_start(self):
        """Before its own code runs a signal ends the vmm, as it does any program."""
        for after in (0, 0.002, 0.005, 0.01, 0.02):
            run = self.interrupted(STALL, after)
            if run.status == -signal.SIGINT:
                self.assertEqual(run.files, ["scenario.toml"])
            else:
                self.assert_interrupted(run)

    def test_the_second_one_ends_it_at_once(self):
        """Also where it cannot come to an end: nobody reads the pipe that it writes its result to."""
        with lab.Run(STALL, prepare=os.mkfifo) as run:
            time.sleep(0.5)
            run.interrupt()
            time.sleep(1.5)
            self.assertIsNone(run.process.poll(), "it was to wait for a reader")
            sent = run.interrupt(signal.SIGTERM)
            run.finish()
            took = time.monotonic() - sent
        print(f"{took:.3f} s from the second signal to the end")
        self.assertLess(took, SOON)
        self.assertEqual((run.status, run.err), (130, ""))
        self.assertEqual(run.files, ["result.json", "scenario.toml"])

    def test_progress_is_off_where_there_is_no_terminal(self):
        run = self.interrupted(STALL, 0.5)
        self.assertEqual(run.err, "")

    def test_waiting_for_standard_input(self):
        with subprocess.Popen([lab.VMM, "run", "-"], stdin=subprocess.PIPE) as process:
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(SOON), 130)


if __name__ == "__main__":
    lab.main()
