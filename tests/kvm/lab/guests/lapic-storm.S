// Writes anything to its LAPIC for ever, with interrupts on and a periodic timer that is as fast as it can
// be asked for; sends anything to all other CPUs. Only what goes to itself alone is left out: an INIT
// would end it.
#include "guest.inc"

#define LAPIC 0xfee00000
#define EOI 0x0b0          // SDM 3, table 11-1
#define SPURIOUS 0x0f0
#define ICR_LOW 0x300
#define LVT_TIMER 0x320
#define INITIAL_COUNT 0x380
#define DIVIDE 0x3e0

  lgdt gdt_pointer
  ljmp $8, $flat
flat:
  movl $16, %eax
  movl %eax, %ss
  movl %eax, %ds
  movl $stack_end, %esp
  movl $handler, %eax
  movl $idt, %edi
  movl $256, %ecx
gate: // SDM 3, 6.11: offset, selector, present interrupt gate of 32 bits
  movw %ax, (%edi)
  movw $8, 2(%edi)
  movw $0x8e00, 4(%edi)
  movl %eax, %edx
  shrl $16, %edx
  movw %dx, 6(%edi)
  addl $8, %edi
  decl %ecx
  jnz gate
  lidt idt_pointer
  movl $12345, %ecx
again:
  movl $0x1ff, LAPIC + SPURIOUS
  movl $0xb, LAPIC + DIVIDE          // by 1
  movl $0x20040, LAPIC + LVT_TIMER   // periodic, vector 0x40
  movl $1, LAPIC + INITIAL_COUNT
  sti
  movl $64, %ebx
some:
  next_random
  movl %ecx, %edi
  shrl $12, %edi
  andl $0xffc, %edi
  next_random
  movl %ecx, %eax
  movl %edi, %edx
  andl $0xff0, %edx
  cmpl $ICR_LOW, %edx
  jne write
  orl $0xc0000, %eax // to all but itself
write:
  movl %eax, LAPIC(%edi)
  movl LAPIC(%edi), %eax
  decl %ebx
  jnz some
  jmp again

handler: // of anything; not back by iret, which not every KVM interprets in this mode
  movl $0, LAPIC + EOI
  movl $stack_end, %esp
  jmp again

.data
.balign 8
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff // code, flat
  .quad 0x00cf93000000ffff // data, flat
gdt_pointer:
  .word gdt_pointer - gdt - 1
  .long gdt
idt_pointer:
  .word 256 * 8 - 1
  .long idt

.bss
.balign 8
idt:
  .space 256 * 8
  .space 1024
stack_end:
