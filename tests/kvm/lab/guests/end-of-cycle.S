// Fills CPU 0's ring, ends a cycle, and finds room in the ring again; if not, an event is lost.
#include "guest.inc"

  find_control_page
  movl SLOTS(%edi), %ebp
  movl 144(%ebp), %esi // host.ring_capacity
  movl %esi, 192(%ebp) // ring.count
  ring (RING_CYCLE << 24)
  cmpl %esi, 148(%ebp) // host.read
  je decided
  incl 196(%ebp) // ring.lost
decided:
  ring (RING_DECIDED << 24)
  hlt
