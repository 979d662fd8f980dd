// Overwrites all that it shares with the host, for ever, with anything.
#include "guest.inc"

  find_control_page
  movl %edi, %ebp
  movl $12345, %ecx
again:
  movl %ebp, %edi
  movl $0x6000, %esi // dwords: page, slots and rings of the machine that the test asks for
fill:
  next_random
  movl %ecx, (%edi)
  addl $4, %edi
  decl %esi
  jnz fill
  jmp again
