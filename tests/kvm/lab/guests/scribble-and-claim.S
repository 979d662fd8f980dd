// Fills what it shares with the host with anything, and says that it is done.
#include "guest.inc"

  find_control_page
  movl $54321, %ecx
  movl $0x6000, %esi
fill:
  next_random
  movl %ecx, %eax
  sarl $8, %eax
  movl %eax, (%edi)
  addl $4, %edi
  decl %esi
  jnz fill
  ring (RING_DECIDED << 24)
  hlt
