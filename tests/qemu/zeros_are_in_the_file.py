#!/usr/bin/env python3
"""Checks that guest.elf holds all the memory that it is loaded to: it clears none, and not every loader does.

usage: zeros_are_in_the_file.py GUEST
"""

import struct
import sys

PT_LOAD = 1


def segments(elf):
    """(type, size in the file, size in memory) of each program header of an ELF64 (System V ABI, "Program Header")."""
    table, size, count = struct.unpack_from("<Q", elf, 0x20) + struct.unpack_from("<HH", elf, 0x36)
    for at in range(table, table + size * count, size):
        (kind,) = struct.unpack_from("<I", elf, at)
        yield kind, *struct.unpack_from("<QQ", elf, at + 0x20)


def main(guest):
    with open(guest, "rb") as file:
        loaded = [each for each in segments(file.read()) if each[0] == PT_LOAD]
    short = [f"{memory - held} of {memory} bytes are not in the file" for _, held, memory in loaded if held != memory]
    print("\n".join(short) or f"{len(loaded)} segments are whole")
    return 1 if short or not loaded else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
