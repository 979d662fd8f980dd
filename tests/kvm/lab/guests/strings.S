// Floods the serial port and others with strings.
#include "guest.inc"

  cld
again:
  movl $0x100000, %esi
  movl $0x10000, %ecx
  movw $0x3f8, %dx
  rep outsb
  movl $0x4000, %ecx
  movw $DOORBELL, %dx
  rep outsl // not a ring: more than one
  movl $0x4000, %ecx
  movw $0x3fd, %dx
  rep outsl // beyond the serial port's last register
  movl $0x4000, %ecx
  movl $0x800000, %edi
  movw $0x3f8, %dx
  rep insb
  jmp again
