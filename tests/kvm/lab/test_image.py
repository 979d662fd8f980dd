"""A guest that is not ours, or not whole: one line that says what is wrong, exit 2."""

import os
import struct
from pathlib import Path

import lab

OURS = Path(lab.VMM).parent / "guest.elf"


class Image(lab.LabCase):
    def assert_refused(self, data, complaint):
        """`data`: the guest's bytes, or a function that makes it at a path."""

        def prepare(json_path):
            guest = json_path.parent / "guest"
            data(guest) if callable(data) else guest.write_bytes(data)

        run = self.run_lab(lab.scenario(), "--guest", "guest", prepare=prepare)
        self.assertEqual((run.status, run.out), (2, ""), run.err)
        self.assertRegex(run.err, rf"\Avmm: guest: {complaint}[^\n]*\n\Z")
        self.assertEqual(run.result["verdict"], "invalid")
        self.assertEqual(run.result["differences"], [run.err.removeprefix("vmm: ").rstrip("\n")])
        self.assertEqual([f for f in run.files if f != "guest"], ["result.json", "scenario.toml"])

    def test_it_is_not_there(self):
        self.assert_refused(lambda path: None, "cannot read the guest: No such file")

    def test_it_is_not_a_file(self):
        self.assert_refused(os.mkdir, "a directory")
        self.assert_refused(os.mkfifo, "not a file")

    def test_it_is_not_an_elf_file(self):
        for data in (b"", b"\x7f", b"\x7fEL", b"#!/bin/sh\n", bytes(5000)):
            self.assert_refused(data, "not a guest that can be loaded: not an ELF file")

    def test_it_is_not_for_this_machine(self):
        elf = bytearray(OURS.read_bytes())
        struct.pack_into("<H", elf, 18, 183)  # e_machine: AArch64
        self.assert_refused(bytes(elf), "not a guest that can be loaded: for machine 183, not for x86-64")

    def test_a_program_for_this_host(self):
        self.assert_refused(Path(lab.VMM).read_bytes()[: 200 << 20], "not a guest that can be loaded: ")

    def test_it_is_cut_short(self):
        whole = OURS.read_bytes()
        for size in (4, 20, 63, 64, 100, 200, 0x1000, len(whole) // 2, len(whole) - 1):
            self.assert_refused(whole[:size], "not a guest that can be loaded: cut short")

    def test_its_note_is_another(self):
        whole = OURS.read_bytes()
        self.assert_refused(whole.replace(b"Xen\0", b"Zen\0"), "not a guest that can be loaded: no PVH entry")


if __name__ == "__main__":
    lab.main()
