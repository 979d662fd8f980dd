// Writes to the doorbell, and to what is beside it, in sizes that are none.
#include "guest.inc"

  movl $((RING_PANIC << 24) | RING_PANIC), %eax
again:
  movw $DOORBELL, %dx
  outb %al, %dx
  outw %ax, %dx
  inl %dx, %eax
  inb %dx, %al
  movl $((RING_PANIC << 24) | RING_PANIC), %eax
  movw $(DOORBELL + 2), %dx
  outl %eax, %dx
  movw $(DOORBELL - 1), %dx
  outl %eax, %dx
  jmp again
