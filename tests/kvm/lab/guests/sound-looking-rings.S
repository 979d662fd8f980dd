// Fills the rings with events of kinds and CPUs that exist, and words that are words.
#include "guest.inc"

  find_control_page
  movl SLOTS(%edi), %ebp
  movl $4, %ebx // the CPUs of the machine that the test asks for
slot:
  movl 136(%ebp), %edi // host.ring
  movl 144(%ebp), %esi // host.ring_capacity
event:
  next_random
  movl %ecx, (%edi) // tsc
  movl $0, 4(%edi)
  movl $1, 8(%edi) // attempt
  next_random
  movl %ecx, %eax
  shrl $9, %eax
  andl $7, %eax
  incl %eax
  movl %eax, 32(%edi) // kind 1..8
  movl $0, 36(%edi)
  next_random
  movl %ecx, %eax
  shrl $9, %eax
  andl $3, %eax // cpu 0..3
  cmpl $4, %ebx
  je place // CPU 0 may write of anyone
  movl $4, %eax
  subl %ebx, %eax // the others of themselves
place:
  movl %eax, 12(%edi)
  next_random
  movl %ecx, %eax
  shrl $7, %eax
  andl $0x000f0003, %eax // a word: state 0..15, step 0..3
  movl %eax, 16(%edi)
  movl $1, 20(%edi)
  xorl $0x00030001, %eax
  movl %eax, 24(%edi)
  movl $1, 28(%edi)
  addl $EVENT_SIZE, %edi
  decl %esi
  jnz event
  movl 144(%ebp), %esi
  movl %esi, 192(%ebp) // ring.count, now that the events are there
  addl $SLOT_SIZE, %ebp
  decl %ebx
  jnz slot
  ring (RING_DECIDED << 24)
  hlt
