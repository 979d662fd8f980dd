// Halts with interrupts off.
#include "guest.inc"

  cli
again:
  hlt
  jmp again
