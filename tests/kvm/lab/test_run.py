"""`vmm run` from end to end: the result of runs that pass and that fail, and where it goes."""

import json
import re
import subprocess
import unittest

import lab
import run_scenario

# field-failures' invariants, in the order in which every result lists them.
INVARIANTS = (
    "legal-transitions matched-release steps-in-order late-harmless proven-or-quarantined single-owner "
    "unknown-refused visible-before online-window one-writer bounded-waits dead-cost no-crosstalk "
    "exact-undo injected-exactly siblings-after-primary tsc-two-parties no-self-init accounted "
    "spurious-ignored nothing-freed-early"
).split()
# Where it is not asked for.
NOT_JUDGED = {"siblings-after-primary"}

STALL = "cpu = 2; at = 'alive.released'; action = 'stall'"
STALLED = lab.scenario(faults=[STALL], expect='failed = { 2 = "timeout@started" }')


class Result(lab.LabCase):
    def assert_points_in_order(self, cpu):
        """Times grow from kick to active, and behind the first point not reached there is none."""
        times = [cpu["points"][point] for point in lab.POINTS]
        reached = [t for t in times if t is not None]
        self.assertEqual(times[: len(reached)], reached, cpu)
        self.assertEqual(sorted(reached), reached, cpu)

    def test_all_up(self):
        run = self.run_lab(lab.scenario(vcpus=5, bringup='strategy = "split"'), "--seed", "7")
        self.assert_passes(run)
        result = run.result
        self.assertEqual(result["verdict"], "pass")
        self.assertEqual((result["strategy"], result["seed"]), ("split", 7))
        self.assertEqual(result["online"], [0, 1, 2, 3, 4])
        self.assertEqual((result["faults"], result["differences"]), ([], []))
        for cpu in result["cpus"][1:]:
            self.assertEqual((cpu["outcome"], cpu["reason"], cpu["attempts"]), ("online", None, 1))
            self.assertNotIn(None, cpu["points"].values())
            self.assert_points_in_order(cpu)
        last = max(cpu["points"]["active"] for cpu in result["cpus"][1:])
        self.assertEqual(result["bringup_us"], last)
        self.assertLessEqual(last, result["decided_us"])
        self.assertLessEqual(result["decided_us"], result["total_us"])
        self.assertIn("PASS 5 of 5 online", run.report)

    def test_every_invariant_is_there_in_order(self):
        for text in (lab.scenario(), STALLED):
            result = self.run_lab(text).result
            self.assertEqual([i["name"] for i in result["invariants"]], INVARIANTS)
            for invariant in result["invariants"]:
                judged = None if invariant["name"] in NOT_JUDGED else True
                self.assertIs(invariant["holds"], judged, invariant)
                self.assertEqual(invariant["evidence"] is None, judged is True, invariant)

    def test_an_expected_failure_passes(self):
        run = self.run_lab(STALLED)
        self.assert_passes(run)
        cpu = run.cpu(2)
        self.assertEqual((cpu["outcome"], cpu["reason"]), ("failed", "timeout@started"))
        self.assert_points_in_order(cpu)
        self.assertIsNotNone(cpu["points"]["alive"])
        self.assertIsNone(cpu["points"]["started"])
        row = {"fault": 0, "cpu": 2, "at": "alive.released", "action": "stall", "fired": 1}
        self.assertEqual(run.result["faults"], [row])
        self.assertEqual(run.result["online"], [0, 1, 3])

    def test_a_fault_has_a_row_for_each_cpu(self):
        faults = [
            "cpu = [3, 1]; at = 'alive'; action = 'delay'; duration_ms = 1",
            "cpu = 'all'; at = 'idle'; action = 'delay'; duration_ms = 1",
        ]
        run = self.run_lab(lab.scenario(faults=faults))
        self.assert_passes(run)
        rows = [(row["fault"], row["cpu"], row["fired"]) for row in run.result["faults"]]
        self.assertEqual(rows, [(0, 1, 1), (0, 3, 1), (1, 1, 1), (1, 2, 1), (1, 3, 1)])

    def test_cpus_beyond_max_cpus_are_left_alone(self):
        run = self.run_lab(lab.scenario(vcpus=4, bringup="max_cpus = 2"))
        self.assert_passes(run)
        self.assertEqual([c["outcome"] for c in run.result["cpus"]], ["online"] * 2 + ["not-attempted"] * 2)
        self.assertEqual(run.cpu(3)["attempts"], 0)
        self.assertEqual(set(run.cpu(3)["points"].values()), {None})


class Threads(lab.LabCase):
    def test_cores_of_each_width_come_up_whole_or_not(self):
        for threads in (2, 4, 8):
            for vcpus in (5, 8):
                with self.subTest(threads=threads, vcpus=vcpus):
                    run = self.run_lab(
                        lab.scenario(vcpus=vcpus, timeout_ms=5000), "--set", f"machine.threads_per_core={threads}"
                    )
                    self.assert_passes(run)
                    self.assertEqual([c["apic_id"] for c in run.result["cpus"]], list(range(vcpus)))


class Differences(lab.LabCase):
    def assert_differs(self, run, *differences):
        self.assertEqual(run.status, 1, run.out + run.err)
        self.assert_sound(run)
        self.assertEqual(run.result["verdict"], "fail")
        self.assertEqual(run.result["differences"], list(differences))
        for difference in differences:
            self.assertIn(difference, run.report)
        self.assertRegex(run.report, r"next: .*vmm run scenario\.toml")

    def test_a_failure_that_nobody_expects(self):
        run = self.run_lab(lab.scenario(faults=[STALL], expect='online = "all"'))
        self.assert_differs(run, "CPU 2: expected online, got timeout@started")
        self.assertIn("CPU 2 timeout@started after 1 attempt", run.report)
        self.assertIn("was in fault 0, stall at alive.released for ever", run.report)

    def test_a_failure_that_does_not_happen(self):
        run = self.run_lab(lab.scenario(expect='failed = { 1 = "timeout@alive" }'))
        self.assert_differs(run, "CPU 1: expected timeout@alive, got online")

    def test_set_changes_what_is_expected(self):
        run = self.run_lab(STALLED, "--set", 'expect.failed={ 2 = "crash@started" }')
        self.assert_differs(run, "CPU 2: expected crash@started, got timeout@started")

    def test_set_changes_the_fault(self):
        run = self.run_lab(STALLED, "--set", "fault.0.at=started.released")
        self.assert_differs(run, "CPU 2: expected timeout@started, got timeout@synced")
        run = self.run_lab(STALLED, "--set", "fault.0.cpu=1", "--set", "bringup.strategy=serial")
        self.assertEqual(run.status, 1)
        self.assertEqual((run.cpu(1)["outcome"], run.cpu(2)["outcome"]), ("failed", "online"))
        self.assertEqual(run.result["strategy"], "serial")

    def test_a_fault_that_does_not_fire(self):
        fault = "cpu = 1; at = 'active.released'; action = 'delay'; duration_ms = 1; attempt = 2"
        run = self.run_lab(lab.scenario(faults=[fault], bringup="attempts = 2"))
        self.assert_differs(run, "fault 0 (at active.released) fired 0 of 1 times on CPU 1")
        self.assertIn("CPU 1: did not fire", run.report)

    def test_too_slow(self):
        run = self.run_lab(STALLED + "within_ms = 5\n")
        self.assertEqual(run.status, 1)
        late = r"^expected every CPU decided within 5 ms, took [\d.]+ ms$"
        self.assertRegex(run.result["differences"][0], late)


class Streams(lab.LabCase):
    def vmm(self, *arguments, stdin=""):
        return subprocess.run(
            [lab.VMM, *arguments], input=stdin, capture_output=True, text=True, timeout=lab.PATIENCE,
            check=False,
        )  # fmt: skip

    def test_json_to_standard_output_is_alone_there(self):
        done = self.vmm("run", "-", "--json", "-", stdin=STALLED)
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(list(run_scenario.schema_errors(result)), [])
        self.assertIn("PASS", done.stderr)
        self.assertIn("timeout@started", done.stderr)

    def test_without_json_the_report_is_on_standard_output(self):
        done = self.vmm("-", stdin=lab.scenario(vcpus=2))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("PASS", done.stdout)

    def test_there_is_no_colour_in_a_pipe(self):
        done = self.vmm("run", "-", "--json", "-", stdin=STALLED)
        self.assertIsNone(re.search("\x1b", done.stdout + done.stderr))

    def test_the_log_has_its_level(self):
        for level, spoken in (("debug", True), ("warning", False)):
            done = self.vmm("run", "-", "--log-level", level, stdin=STALLED)
            self.assertEqual("vmm: debug: " in done.stderr, spoken, done.stderr)

    def test_the_log_says_when_every_cpu_is_decided(self):
        text = lab.scenario(vcpus=2, bringup="cycles = 3")
        done = self.vmm("run", "-", "--log-level", "debug", stdin=text)
        self.assertEqual(done.stderr.count("vmm: debug: cpu 0: every CPU is decided\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    lab.main()
