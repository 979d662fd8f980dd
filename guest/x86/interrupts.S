// Where interrupts and exceptions enter. 64-bit mode, interrupts off (interrupt gates).
.section .text.interrupts, "ax"
.code64

// One entry per vector, all of one size. Leaves on the stack what x86::InterruptFrame
// describes: the vector, then the error code (0 where the CPU pushes none: SDM vol. 3A,
// table 6-1), then what the CPU pushed.
.balign 16
.globl interrupt_entries
interrupt_entries:
.set vector, 0
.rept 256
.balign 16
.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
.else
  push $0
.endif
  push $vector
  jmp interrupt_common
.set vector, vector + 1
.endr
.balign 16
interrupt_entries_end:

// Tables of other sizes would send every interrupt astray.
.globl interrupt_entries_size
.set interrupt_entries_size, interrupt_entries_end - interrupt_entries

// The IDT: a gate to each entry (x86::Gate), without an IST. build_interrupt_table() puts in what differs. It
// stands in the image, because putting together 256 gates is a tenth of a boot where KVM interprets.
.section .data.interrupt_table, "aw"
.balign 16
.globl interrupt_table
interrupt_table:
.set entry, 0
.rept 256
  .word interrupt_entries_low + entry
  .word kAsmSelectorCode64
  .byte 0
  .byte kAsmInterruptGate
  .word interrupt_entries_middle
  .long 0
  .long 0
.set entry, entry + 16
.endr

.section .text.interrupts, "ax"

interrupt_common:
  push %rax
  push %rcx
  push %rdx
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  push %r11
  cld
  // The CPU aligned the stack to 16 and pushed 5 words, the entry 2 and we 9: aligned for a call.
  mov %rsp, %rdi
  call handle_interrupt
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rdx
  pop %rcx
  pop %rax
  add $16, %rsp
  iretq

// A wake-up is a hint: whoever halts looks for himself afterwards. All there is to do is to
// tell the LAPIC. Kept short, for every wait of every AP ends here.
.balign 16
.globl wake_entry_xapic
wake_entry_xapic:
  push %rax
  mov lapic_mmio_base, %rax
  movl $0, kAsmEoiOffset(%rax)
  pop %rax
  iretq

.balign 16
.globl wake_entry_x2apic
wake_entry_x2apic:
  push %rax
  push %rcx
  push %rdx
  mov $kAsmEoiMsr, %ecx
  xor %eax, %eax
  xor %edx, %edx
  wrmsr
  pop %rdx
  pop %rcx
  pop %rax
  iretq

.section .note.GNU-stack, "", @progbits
