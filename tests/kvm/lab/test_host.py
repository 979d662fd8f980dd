"""A host that cannot run it: one message that says why and what to do, exit 3."""

import os
import resource
import shutil
import subprocess
import unittest

import lab

NO_KVM = lab.scenario()
NAMESPACE = ("unshare", "--mount", "--propagation", "private")


def can_unshare():
    """Whether this user may have a mount namespace of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


class Host(lab.LabCase):
    def assert_unsupported(self, run, message):
        self.assertEqual((run.status, run.out), (3, ""), run.err)
        self.assertRegex(run.err, rf"\Avmm: {message}[^\n]*\n\Z")
        self.assertIn("simulate it, without KVM: --backend sim", run.err)
        self.assertEqual(run.result["verdict"], "unsupported")
        self.assertEqual(run.result["strategy"], "parallel")
        self.assert_sound(run)

    def in_namespace(self, preparation):
        """A run after some shell commands in a mount namespace of its own."""
        return self.run_lab(NO_KVM, prefix=(*NAMESPACE, "sh", "-ec", preparation + '; exec "$@"', "sh"))

    @unittest.skipUnless(can_unshare(), "no mount namespaces for this user")
    def test_no_dev_kvm(self):
        # A folder of its own in place of /dev: the devices of this host are left alone.
        run = self.in_namespace("mount -t tmpfs none /dev")
        self.assert_unsupported(run, "cannot open /dev/kvm: No such file or directory; .*load the module")

    @unittest.skipUnless(can_unshare(), "no mount namespaces for this user")
    def test_dev_kvm_is_something_else(self):
        run = self.in_namespace("mount -t tmpfs none /dev; : > /dev/kvm")
        self.assert_unsupported(run, "/dev/kvm does not answer as KVM does: .*is it the right device")
        run = self.in_namespace("mount -t tmpfs none /dev; mkdir /dev/kvm")
        self.assert_unsupported(run, "cannot open /dev/kvm: Is a directory")

    @unittest.skipUnless(os.geteuid() == 0 and can_unshare(), "only root can become another user")
    def test_dev_kvm_is_not_for_this_user(self):
        run = self.run_lab(
            NO_KVM, prefix=(*NAMESPACE, "sh", "-ec",
                            'mount -t tmpfs none /dev; mknod -m 600 /dev/kvm c 10 232; chmod 777 .; '
                            'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"', "sh"),
        )  # fmt: skip
        if run.status == 126 or "not found" in run.err:
            self.skipTest("that user cannot reach the vmm")
        self.assert_unsupported(run, "cannot open /dev/kvm: Permission denied; this user may not open it")

    @unittest.skipUnless(can_unshare(), "no mount namespaces for this user")
    def test_the_simulator_needs_no_kvm(self):
        run = self.run_lab(
            NO_KVM, "--backend", "sim", prefix=(*NAMESPACE, "sh", "-ec", 'mount -t tmpfs none /dev; exec "$@"', "sh")
        )
        self.assert_passes(run)
        self.assertEqual(run.result["backend"], "sim")

    def test_a_scenario_is_checked_all_the_same(self):
        run = self.run_lab(NO_KVM + "[machines]\n")
        self.assertEqual((run.status, run.out), (2, ""), run.err)
        self.assertEqual(run.result["verdict"], "invalid")
        self.assert_sound(run)

    def limited(self, limit, value, vcpus):
        def set_limit():
            resource.setrlimit(limit, (value, value))

        return self.run_lab(lab.scenario(vcpus=vcpus), preexec_fn=set_limit, patience=30)

    def test_no_threads_left(self):
        """Each thread's stack takes 8 MiB of what the process may address."""
        run = self.limited(resource.RLIMIT_AS, 350 << 20, 64)
        self.assert_unsupported(run, r"cannot start a thread for vCPU \d+: .*use fewer vCPUs")

    def test_too_few_descriptors(self):
        run = self.limited(resource.RLIMIT_NOFILE, 100, 64)
        self.assert_unsupported(run, "64 vCPUs take 192 file descriptors .*raise the hard limit")


if __name__ == "__main__":
    lab.main()
