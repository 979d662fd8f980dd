// The least that waking N CPUs can be: CPU 0 sends INIT, SIPI, SIPI to all others at once, each of them
// counts itself and halts. With FLOOR_LONG they go from real through protected to long mode first.
//
// Time zero is CPU 0's TSC just before the INIT; the end is the TSC of the CPU whose count was the last,
// which it leaves in memory before it tells CPU 0. CPU 0 halts in between, so that it takes no core from
// those that count. Both go to the control page, where the full guest has them too.

#define CODE32 8
#define CODE64 16
#define DATA 24
#define LAPIC 0xfee00000
#define SPURIOUS 0x0f0         // registers: SDM 3, table 11-1
#define ICR_LOW 0x300
#define MSR_APIC_BASE 0x1b
#define APIC_BASE_EXTD 0x400   // IA32_APIC_BASE: x2APIC mode, SDM 3, 11.12.1
#define APIC_BASE_EN 0x800
#define MSR_X2APIC 0x800       // the first of the registers as MSRs, each 0x10 of the page: SDM 3, 11.12.1.2
#define ICR_ALL_BUT_SELF 0xc0000
#define ICR_ASSERT 0x4000
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define SOFTWARE_ENABLE 0x100
#define VECTOR 0x40            // of the interrupt by which the last tells CPU 0

// The page of the SIPI, and what all write to, each on a line of its own.
#define START 0x8000
#define COUNT 0x8800
#define TARGET 0x8840
#define DONE 0x8880

.section .note.pvh, "a", @note
  .balign 4
  .long 4, 4, 18 // a name of 4 bytes, a value of 4; XEN_ELFNOTE_PHYS32_ENTRY
  .asciz "Xen"
  .long _start

.section .note.GNU-stack, "", @progbits

// EAX = the value, EDX = 0. Changes ECX, ESI.
.macro write_lapic register
  testl %ebp, %ebp
  jnz 1f
  movl %eax, LAPIC + \register
  jmp 2f
1:
  movl $(MSR_X2APIC + (\register >> 4)), %ecx
  wrmsr
2:
.endm

.text
.code32
.globl _start
_start: // 32-bit protected mode, flat, no paging, interrupts off, EBX = start info (Xen, "x86/HVM direct boot ABI")
  lgdt gdt_pointer
  ljmp $CODE32, $1f
1:
  movl $DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl $stack_end, %esp
  movl kAsmCommandLine(%ebx), %esi
  addl $(control_word_end - control_word), %esi
  xorl %edi, %edi // EDI = the control page, from the digits of "reveille.control=0x..."
2:
  movzbl (%esi), %eax
  incl %esi
  subb $'0', %al
  jb 4f
  cmpb $9, %al
  jbe 3f
  subb $('a' - '0' - 10), %al
3:
  shll $4, %edi
  orl %eax, %edi
  jmp 2b
4:
  pushl %edi
  movl $trampoline, %esi
  movl $START, %edi
  movl $(trampoline_end - trampoline), %ecx
  rep movsb
  popl %edi
  movl kAsmMaxCpus(%edi), %eax
  decl %eax
  movl %eax, TARGET
  movl $told, %eax // SDM 3, 6.11: a present 32-bit interrupt gate
  movw %ax, idt + 8 * VECTOR
  movw $CODE32, idt + 8 * VECTOR + 2
  movw $0x8e00, idt + 8 * VECTOR + 4
  shrl $16, %eax
  movw %ax, idt + 8 * VECTOR + 6
  lidt idt_pointer
  movl $MSR_APIC_BASE, %ecx
  rdmsr
  movl %eax, %ebp
  andl $APIC_BASE_EXTD, %ebp // EBP: whether the LAPIC is in x2APIC mode
  xorl %edx, %edx
  movl $(SOFTWARE_ENABLE | 0xff), %eax
  write_lapic SPURIOUS

  rdtsc
  movl %eax, kAsmZeroTsc(%edi)
  movl %edx, kAsmZeroTsc + 4(%edi)
  xorl %edx, %edx
  movl $(ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_INIT), %eax
  write_lapic ICR_LOW
  movl $(ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_STARTUP | START >> 12), %eax
  write_lapic ICR_LOW
  movl $(ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_STARTUP | START >> 12), %eax
  write_lapic ICR_LOW
5:
  sti
  hlt
  jmp 5b

told: // all have counted themselves
  movl DONE, %eax
  movl %eax, kAsmDecidedTsc(%edi)
  movl DONE + 4, %eax
  movl %eax, kAsmDecidedTsc + 4(%edi)
  movl COUNT, %eax
  incl %eax
  movl %eax, kAsmFoundCpus(%edi)
  movw $kAsmDoorbellPort, %dx
  movl $kAsmDecided, %eax
  outl %eax, %dx
6:
  hlt
  jmp 6b

// Counts this CPU and halts; the last one leaves the time, then tells CPU 0. Neither stack nor segment but
// DS, whose base is 0 since the INIT. The same text in real and in long mode.
.macro count_and_halt
  movl $1, %eax
  lock xaddl %eax, COUNT
  incl %eax
  cmpl TARGET, %eax
  je 2f
1:
  hlt
  jmp 1b
2:
  rdtsc
  movl %eax, DONE
  movl %edx, DONE + 4
  movl $MSR_APIC_BASE, %ecx // an MSR can be reached from every mode
  rdmsr
  orl $(APIC_BASE_EN | APIC_BASE_EXTD), %eax
  wrmsr
  movl $(MSR_X2APIC + (ICR_LOW >> 4)), %ecx
  movl $(ICR_ASSERT | VECTOR), %eax
  xorl %edx, %edx // to APIC ID 0
  wrmsr
  jmp 1b
.endm

#ifdef FLOOR_LONG
.code32
ap_protected:
  movl $0x20, %eax // CR4.PAE
  movl %eax, %cr4
  movl $page_map, %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx // IA32_EFER
  movl $0x100, %eax // LME
  xorl %edx, %edx
  wrmsr
  movl $0x80000011, %eax // CR0: PG, ET, PE
  movl %eax, %cr0
  ljmp $CODE64, $ap_long
.code64
ap_long:
  count_and_halt
#endif

// Copied to START. In: real mode, CS = START >> 4, IP = 0, interrupts off.
.section .rodata
.code16
trampoline:
#ifdef FLOOR_LONG
  lgdtl %cs:(low_gdt_pointer - trampoline)
  movl $0x11, %eax // CR0: ET, PE
  movl %eax, %cr0
  ljmpl $CODE32, $ap_protected
.balign 4
low_gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt
#else
  count_and_halt
#endif
trampoline_end:
.org trampoline + (COUNT - START) // fails if it has run into the count

control_word:
  .ascii "reveille.control=0x"
control_word_end:

// Descriptors and page tables have their accessed bits set, so that nobody writes to them.
.data
.balign 8
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff // CODE32, flat
  .quad 0x00af9b000000ffff // CODE64
  .quad 0x00cf93000000ffff // DATA, flat
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt
idt_pointer:
  .word 8 * (VECTOR + 1) - 1
  .long idt

#ifdef FLOOR_LONG
.balign 4096
page_map:
  .quad page_directory_pointers + 0x63 // present, writable, accessed
  .fill 511, 8, 0
page_directory_pointers:
  .quad page_directory + 0x63
  .fill 511, 8, 0
page_directory:
  .quad 0xe3, 0x2000e3 // the first 4 MiB, in pages of 2 MiB; dirty
  .fill 510, 8, 0
#endif

.bss
.balign 8
idt:
  .space 8 * (VECTOR + 1)
  .space 256
stack_end:
