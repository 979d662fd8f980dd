// Every word corrupt, every ring's account beyond belief, and all of it decided.
#include "guest.inc"

  find_control_page
  movl SLOTS(%edi), %edi
  movl $4, %ecx // the CPUs of the machine that the test asks for
slot:
  movl $0xffffffff, (%edi)    // sync.word
  movl $0xffffffff, 4(%edi)
  movl $0xffffffff, 8(%edi)   // sync.ordinal
  movl $0xffffffff, 192(%edi) // ring.count
  movl $0xffffffff, 196(%edi) // ring.lost
  addl $SLOT_SIZE, %edi
  decl %ecx
  jnz slot
  ring (RING_DECIDED << 24)
  hlt
