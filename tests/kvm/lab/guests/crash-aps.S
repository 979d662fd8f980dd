// Starts AP 1 again and again, each time as another attempt; it panics, then triple-faults.
#include "guest.inc"

  find_control_page
  movl SLOTS(%edi), %edi
  // The AP's code, to a page that a SIPI can name: 16-bit, vector 8.
  movl $ap_code, %esi
  movl $0x8000, %ebx
  movl $(ap_end - ap_code), %ecx
copy:
  movb (%esi), %al
  movb %al, (%ebx)
  incl %esi
  incl %ebx
  decl %ecx
  jnz copy
again:
  incl (SLOT_SIZE + 4)(%edi) // the attempt in CPU 1's word
  movl $0x01000000, 0xfee00310 // ICR, to APIC ID 1 (SDM 3, 11.6.1)
  movl $0x4500, 0xfee00300     // INIT
  movl $0x4608, 0xfee00300     // SIPI
  movl $2000, %ecx
pause:
  pause
  decl %ecx
  jnz pause
  jmp again

.code16
ap_code:
  movw $DOORBELL, %dx
  movl $((RING_PANIC << 24) | 1), %eax
  outl %eax, %dx
  lidt %cs:(ap_no_table - ap_code) // of length 0
  movl %cr0, %eax
  orb $1, %al // protected mode, in which its limit counts
  movl %eax, %cr0
  ud2
ap_no_table:
  .word 0
  .long 0
ap_end:
