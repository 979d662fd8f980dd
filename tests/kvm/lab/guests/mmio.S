// Reads and writes where there is nothing.
#include "guest.inc"

  movl $0xd0000000, %edi
again:
  movl %eax, (%edi)
  movl (%edi), %eax
  movb %al, 3(%edi)
  movw 0x7ff(%edi), %ax
  addl $0x1001, %edi
  cmpl $0xf0000000, %edi
  jb again
  movl $0xd0000000, %edi
  jmp again
