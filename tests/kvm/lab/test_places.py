"""Every place that is not a point: steps, the kick, and the way down, struck in every strategy."""

import subprocess

import lab

STEPS = {
    "area": "PREPARE", "cpu-tables": "STARTING", "lapic": "STARTING", "timer": "STARTING",
    "tsc": "STARTING", "worker": "ONLINE",
}  # fmt: skip


def bringup(strategy, more=""):
    return f'strategy = "{strategy}"\n{more}'


class Places(lab.LabCase):
    def assert_fired(self, run, times):
        for fault in run.result["faults"]:
            self.assertEqual(fault["fired"], times, fault)

    def test_the_steps_are_those_that_vmm_points_lists(self):
        points = subprocess.run([lab.VMM, "points"], capture_output=True, text=True, check=True).stdout
        listed = {words[1]: words[0] for words in map(str.split, points.splitlines())
                  if len(words) > 3 and words[0] in ("PREPARE", "STARTING", "ONLINE") and words[2] in ("yes", "no")}
        self.assertEqual(listed, STEPS)

    def test_each_step_fails_by_its_name(self):
        for step in STEPS:
            with self.subTest(step=step):
                run = self.run_lab(lab.scenario(
                    faults=[f"cpu = 2; at = 'step:{step}'; action = 'fail'; error = -5"],
                    expect=f'failed = {{ 2 = "error@step:{step}" }}'))
                self.assert_passes(run)
                self.assert_fired(run, 1)
                self.assertIn("the step failed", run.report)
                self.assertIn("failed with error -5", run.report)
                self.assertEqual(run.cpu(2)["quarantined"], 0)

    def test_a_step_that_fails_once_is_done_in_the_second_attempt(self):
        for step in STEPS:
            with self.subTest(step=step):
                run = self.run_lab(lab.scenario(
                    bringup="attempts = 2", faults=[f"cpu = 'all'; at = 'step:{step}'; action = 'fail'"],
                    expect='attempts = { "1-3" = 2 }'))
                self.assert_passes(run)
                self.assert_fired(run, 1)

    def test_every_cpu_is_struck_before_and_after_every_step_and_at_its_kick(self):
        places = ["kick", *(f"step:{step}{end}" for step in STEPS for end in ("", ".done"))]
        faults = [f"cpu = 'all'; at = '{place}'; action = 'delay'; duration_ms = 1" for place in places]
        for strategy in ("serial", "split", "parallel", "tree"):
            with self.subTest(strategy=strategy):
                run = self.run_lab(lab.scenario(vcpus=8, timeout_ms=3000, bringup=bringup(strategy), faults=faults))
                self.assert_passes(run)
                self.assertEqual(len(run.result["faults"]), 7 * len(places))
                self.assert_fired(run, 1)

    def test_in_a_tree_it_is_whoever_kicks_that_is_held(self):
        run = self.run_lab(lab.scenario(
            vcpus=6, timeout_ms=3000, bringup=bringup("tree"),
            faults=["cpu = 'all'; at = 'kick'; action = 'delay'; duration_ms = 5"]))
        self.assert_passes(run)
        self.assertRegex(run.report, r"CPU \d: its control CPU \d, about to kick it, at")
        self.assertIn("the control CPU kicked CPU", run.report)
        self.assertRegex(run.report, r"CPU \d kicked CPU")

    def test_the_way_down_is_struck_in_every_cycle_but_the_last(self):
        for strategy in ("serial", "split", "parallel", "tree"):
            with self.subTest(strategy=strategy):
                run = self.run_lab(lab.scenario(
                    vcpus=5, timeout_ms=3000, bringup=bringup(strategy, "cycles = 4"),
                    faults=[f"cpu = 'all'; at = '{place}'; action = 'delay'; duration_ms = 2; cycle = 0; count = 3"
                            for place in ("dying", "dead")]))
                self.assert_passes(run)
                self.assert_fired(run, 3)

    def test_a_fault_strikes_in_its_cycle_alone(self):
        run = self.run_lab(lab.scenario(
            bringup="cycles = 3", timeout_ms=3000,
            faults=[f"cpu = 2; at = '{place}'; action = 'delay'; duration_ms = 2; cycle = 2"
                    for place in ("step:area", "kick", "alive", "active.released", "dead")]))
        self.assert_passes(run)
        self.assert_fired(run, 1)

    def test_a_cpu_that_stops_on_its_way_down_stays_out(self):
        for place in ("dying", "dead"):
            for action in ("stall", "freeze", "crash"):
                reason = "crash" if action == "crash" else "timeout"
                text = lab.scenario(
                    bringup="cycles = 3", faults=[f"cpu = 2; at = '{place}'; action = '{action}'"],
                    expect=f'failed = {{ 2 = "{reason}@{place}" }}')
                for backend in ("kvm", "sim"):
                    with self.subTest(place=place, action=action, backend=backend):
                        run = self.run_lab(text, "--backend", backend)
                        self.assert_passes(run)
                        self.assertIn("in cycle 1 of 3", run.report)

    def test_an_unknown_symbol_is_told_where_it_is_written(self):
        no_such = 'the guest has no symbol "no_such", or several; `nm` on it shows what it has'
        cases = {
            "cpu = 1; at = 'symbol:no_such+0x10'; action = 'stall'": ("at", "scenario.toml:10:6: fault.0.at"),
            "cpu = 1; at = 'alive'; action = 'jump'; symbol = 'no_such'":
                ("symbol", "scenario.toml:12:10: fault.0.symbol"),
        }  # fmt: skip
        for fault, (key, place) in cases.items():
            text = lab.scenario(faults=[fault])
            named = fault.replace("no_such", "lapic_send_start")
            value = "symbol:no_such" if key == "at" else "no_such"
            for run, told in ((self.run_lab(text), place),
                              (self.run_lab(lab.scenario(faults=[named]), "--set", f"fault.0.{key}={value}"),
                               f"--set fault.0.{key}")):
                with self.subTest(fault=fault, told=told):
                    self.assertEqual((run.status, run.err), (2, f"vmm: {told}: {no_such}\n"))
                    self.assertEqual(run.result["verdict"], "invalid")


if __name__ == "__main__":
    lab.main()
