// Executes code where there is no memory: KVM can fetch nothing to emulate.
#include "guest.inc"

  movl $0xd0000000, %eax
  jmp *%eax
