"""APs that come late: what a stall, a freeze and a thaw come to, and which attempt a fault hits."""

import lab


def fault(at="alive.released", action="stall", more="duration_ms = 600", cpu=3):
    return f"cpu = {cpu}; at = '{at}'; action = '{action}'; {more}"


FAILED = 'failed = { 3 = "timeout@started" }'


class Late(lab.LabCase):
    def assert_said_of_fault(self, run, text):
        """In the list of faults and in the paragraph about the CPU that it failed."""
        faults, cpu = run.report.split("CPU 3 timeout@", 1)
        self.assertIn(text, faults)
        self.assertIn(text, cpu)

    def test_without_an_init_a_released_ap_parks_and_frees_what_it_had(self):
        for action in ("stall", "freeze"):
            with self.subTest(action=action):
                run = self.run_lab(
                    lab.scenario(faults=[fault(action=action)], bringup='stop = "none"', expect=FAILED)
                )
                self.assert_passes(run)
                self.assert_said_of_fault(run, "then parked")
                self.assertIn("word attempt 1, parked", run.report)
                self.assertEqual(run.cpu(3)["quarantined"], 0)
                self.assertNotIn("nothing proves it over", run.report)
                self.assertNotIn("INIT", run.report)

    def test_the_init_of_giving_up_ends_a_stall(self):
        run = self.run_lab(lab.scenario(faults=[fault(more="duration_ms = 20000")], expect=FAILED))
        self.assert_passes(run)
        self.assert_said_of_fault(run, "taken out of it by an INIT")
        self.assertNotIn("released after", run.report)
        self.assertLess(run.result["total_us"], 15e6)  # the rest of the stall is not waited for
        # An INIT proves nothing: what the attempt can reach stays as it is.
        self.assertEqual(run.cpu(3)["quarantined"], 1)
        self.assertIn("nothing proves it over", run.report)
        self.assertIn("word attempt 1, abandoned", run.report)

    def test_the_init_of_giving_up_waits_for_a_frozen_vcpu(self):
        run = self.run_lab(lab.scenario(faults=[fault(action="freeze")], expect=FAILED))
        self.assert_passes(run)
        self.assert_said_of_fault(run, "released after")
        self.assert_said_of_fault(run, "then took the INIT")
        self.assertEqual(run.cpu(3)["quarantined"], 1)

    def test_an_endless_freeze_still_holds_at_the_end(self):
        run = self.run_lab(lab.scenario(faults=[fault(action="freeze", more="")], expect=FAILED))
        self.assert_passes(run)
        self.assertIn("still holds", run.report)
        self.assertIn("held by fault 0, freeze at alive.released for ever", run.report)
        self.assertEqual(run.cpu(3)["quarantined"], 1)


class Attempts(lab.LabCase):
    def two_attempts(self, *faults, timeout_ms=300, expect='online = "all"'):
        return self.run_lab(
            lab.scenario(timeout_ms=timeout_ms, faults=faults, bringup="attempts = 2", expect=expect)
        )

    def test_a_thaw_in_the_second_attempt(self):
        run = self.two_attempts(fault("started", "freeze", "duration_ms = 450"))
        self.assert_passes(run)
        self.assertEqual((run.cpu(3)["outcome"], run.cpu(3)["attempts"]), ("online", 2))
        # The later claim is the proof that the first attempt is over.
        self.assertEqual(run.cpu(3)["quarantined"], 0)
        self.assertRegex(run.report, r"released after 45\d\.?\d* ms, and claimed by a later attempt")

    def test_a_fault_hits_the_attempt_that_it_names(self):
        for attempt, needed in ((1, 2), (2, 1)):
            with self.subTest(attempt=attempt):
                # Not reached when the first attempt is the one that succeeds: that is a difference.
                run = self.two_attempts(fault(more=f"attempt = {attempt}"))
                self.assertEqual(run.cpu(3)["attempts"], needed)
                self.assertEqual(run.cpu(3)["outcome"], "online")
                self.assertEqual(run.result["faults"][0]["fired"], 2 - attempt)
                self.assertEqual(run.status, attempt - 1)

    def test_it_hits_no_other_attempt_however_often_it_may(self):
        run = self.two_attempts(fault(more="attempt = 1; count = 2"))
        self.assertEqual((run.cpu(3)["outcome"], run.cpu(3)["attempts"]), ("online", 2))
        self.assertEqual(run.result["differences"], ["fault 0 (at alive.released) fired 1 of 2 times on CPU 3"])

    def test_every_attempt(self):
        run = self.two_attempts(fault(more="attempt = 0; count = 2"), expect=FAILED)
        self.assert_passes(run)
        self.assertEqual(run.result["faults"][0]["fired"], 2)
        self.assertEqual((run.cpu(3)["attempts"], run.cpu(3)["quarantined"]), (2, 1))
        self.assertRegex(run.report, r"CPU 3: at [\d.]+ ms, attempt 1,.*CPU 3: at [\d.]+ ms, attempt 2,")

    def test_it_fires_as_often_as_it_counts(self):
        run = self.two_attempts(fault(more="attempt = 0; count = 1"))
        self.assert_passes(run)
        self.assertEqual(run.result["faults"][0]["fired"], 1)
        self.assertEqual(run.cpu(3)["attempts"], 2)

    def test_two_faults_for_two_attempts(self):
        run = self.two_attempts(
            fault("alive", more="attempt = 1"), fault("synced.released", more="attempt = 2"),
            expect='failed = { 3 = "timeout@online" }',
        )  # fmt: skip
        self.assert_passes(run)
        self.assertEqual([row["fired"] for row in run.result["faults"]], [1, 1])
        self.assertEqual(run.cpu(3)["attempts"], 2)


class ByTime(lab.LabCase):
    def test_a_stall_before_the_kick_is_ended_by_its_init(self):
        faults = [fault("time:0", more=""), fault("kick", "delay", "duration_ms = 100")]
        run = self.run_lab(lab.scenario(timeout_ms=300, faults=faults))
        self.assert_passes(run)
        self.assertIn("taken out of it by an INIT", run.report)
        self.assertEqual([row["fired"] for row in run.result["faults"]], [1, 1])

    def test_a_short_hold_long_after_bring_up(self):
        for action in ("delay", "stall", "freeze"):
            with self.subTest(action=action):
                run = self.run_lab(lab.scenario(faults=[fault("time:150", action, "duration_ms = 50")]))
                self.assert_passes(run)
                self.assertRegex(run.report, r"released after [\d.]+ ms, and is up")
                began = float(run.report.split("CPU 3: at ")[1].split()[0])
                self.assertGreaterEqual(began, 150)

    def test_a_crash_long_after_bring_up(self):
        run = self.run_lab(
            lab.scenario(faults=[fault("time:150", "crash", "")], expect='failed = { 3 = "crash@active" }')
        )
        self.assert_passes(run)
        self.assertIn("crash triple fault", run.report)

    def test_a_cpu_that_is_perhaps_not_there(self):
        for backend in ("kvm", "sim"):
            seen = set()
            for seed in range(4):
                run = self.run_lab(
                    lab.scenario(faults=[
                        "cpu = 3; at = 'firmware'; action = 'ghost'; probability = 0.5",
                        "cpu = 3; at = 'time:0'; action = 'delay'; duration_ms = 1",
                    ]),
                    "--backend", backend, "--seed", str(seed),
                )  # fmt: skip
                self.assertIn(run.status, (0, 1), run.err)
                self.assert_sound(run)
                is_ghost = run.cpu(3)["reason"] == "absent@alive"
                self.assertEqual([row["fired"] for row in run.result["faults"]], [int(is_ghost), int(not is_ghost)])
                seen.add(is_ghost)
            self.assertEqual(seen, {True, False}, backend)

    def test_the_control_cpu_itself(self):
        # Held where all wait for it: late as it looks, it finds them all there.
        run = self.run_lab(lab.scenario(faults=[fault("time:1", "stall", "duration_ms = 400", cpu=0)]))
        self.assert_passes(run)
        run = self.run_lab(lab.scenario(faults=[fault("time:0", "crash", "", cpu=0)]))
        self.assertEqual(run.status, 1)
        self.assert_sound(run)
        self.assertEqual(run.cpu(0)["reason"], "crash@active")
        self.assertIn("CPU 0 died: triple fault", run.report)
        self.assertEqual({cpu["reason"].split("@")[0] for cpu in run.result["cpus"][1:]}, {"lost"})


if __name__ == "__main__":
    lab.main()
