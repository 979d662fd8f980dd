#!/usr/bin/env python3
"""An AP claims its attempt before it has a stack: looks at every instruction of ap_claim in
guest.elf for one that would touch the stack before the one that loads RSP."""

import re
import subprocess
import sys

STACK_INSTRUCTIONS = {
    "push", "pop", "pushf", "popf", "call", "ret", "lret", "iret", "iretq", "enter", "leave", "int", "int3",
    "syscall",
}


def disassemble(elf):
    text = subprocess.run(
        ["objdump", "--disassemble=ap_claim", "--no-show-raw-insn", elf],
        check=True, capture_output=True, text=True).stdout
    lines = re.findall(r"^\s*([0-9a-f]+):\t(.+?)\s*(?:#.*)?$", text, re.MULTILINE)
    return [(int(address, 16), instruction) for address, instruction in lines]


def touches_stack(instruction):
    mnemonic = instruction.split()[0]
    base = mnemonic.rstrip("lqw") if mnemonic not in STACK_INSTRUCTIONS else mnemonic
    return (mnemonic in STACK_INSTRUCTIONS or base in STACK_INSTRUCTIONS or
            re.search(r"%[er]?(sp|bp)\b", instruction) is not None)


def main(elf):
    code = disassemble(elf)
    if len(code) < 10:
        return f"{elf}: ap_claim has only {len(code)} instructions; was it inlined away?"
    switches = [i for i, (_, text) in enumerate(code) if re.fullmatch(r"mov\s+%r\w+,%rsp", text)]
    if len(switches) != 1:
        return f"ap_claim must load RSP once, and does so {len(switches)} times"
    switch = switches[0]
    # The switch is three instructions, in this order: RSP, no frame, and away.
    after = [text for _, text in code[switch + 1:switch + 3]]
    if len(after) < 2 or not re.fullmatch(r"xor\s+%ebp,%ebp", after[0]) or not re.match(r"jmp\s.*<ap_main>", after[1]):
        return f"ap_claim goes on after it has loaded RSP: {after}"
    for i, (address, text) in enumerate(code):
        if i in (switch, switch + 1):
            continue
        if touches_stack(text):
            return f"ap_claim touches the stack that it does not have: {address:#x}: {text}"
        target = re.match(r"j\w+\s+[0-9a-f]+ <([^+>]+)", text)
        if target and target.group(1) != "ap_claim" and i != switch + 2:
            return f"ap_claim leaves for {target.group(1)} without a stack: {address:#x}: {text}"
    print(f"{len(code)} instructions, no stack before {code[switch][0]:#x}")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
