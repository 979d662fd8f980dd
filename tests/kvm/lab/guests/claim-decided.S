// Says that every CPU is decided, and has done nothing.
#include "guest.inc"

  ring (RING_DECIDED << 24)
  hlt
