// Rings the doorbell for ever with every pattern but those that end a run by themselves.
#include "guest.inc"

  xorl %ecx, %ecx
  movw $DOORBELL, %dx
again:
  next_random
  movl %ecx, %eax
  shrl $24, %eax
  subl $RING_DECIDED, %eax
  cmpl $(RING_REFUSED - RING_DECIDED), %eax
  jbe again
  movl %ecx, %eax
  outl %eax, %dx
  // The same with a kind, a place and a CPU that exist, or that nearly do.
  andl $0x033f0007, %eax
  orl $0x01000000, %eax
  cmpl $(RING_PANIC << 24), %eax
  jae again // not a panic
  outl %eax, %dx
  jmp again
