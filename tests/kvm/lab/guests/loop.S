// Never leaves, and does nothing.
#include "guest.inc"

again:
  jmp again
