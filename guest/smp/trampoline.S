// Where an AP starts after its SIPI, and its way to the claim. Shared by all APs at once:
// no lock, no stack, nothing written.
#include "guest/boot/long_mode.h"

// Copied to each of the trampoline pages; must run wherever it is.
//
// In: real mode, CS = address of the page >> 4, IP = 0, interrupts off (SDM vol. 3A, 9.4.4
// "MP Initialization Example"). All else as INIT left it, or not. No stack.
.section .trampoline, "a"
.code16
.globl trampoline_entry
trampoline_entry:
  cli
  cld
  mov %cs, %ax
  movzwl %ax, %ebx
  shl $4, %ebx // EBX: address of the page, which says which attempt this is
  // Until this AP has handlers any fault is to end in a shutdown, where the host sees it, and
  // not in whatever the BIOS has left in the real-mode vectors.
  lidtl %cs:(no_handlers - trampoline_entry)
  lgdtl %cs:(gdt_pointer - trampoline_entry)
  mov $kAsmCr0Protected, %eax
  mov %eax, %cr0
  ljmpl $kAsmSelectorCode32, $ap_protected

.balign 4
no_handlers:
  .word 0
  .long 0
gdt_pointer:
  .word kAsmBootGdtLimit
  .long boot_gdt

// In: 32-bit protected mode, EBX = address of the trampoline page. No stack.
.section .text.boot, "ax"
.code32
ap_protected:
  LOAD_DATA_SEGMENTS
  ENTER_LONG_MODE ap_long

// In: 64-bit mode, EBX as above. No stack.
.code64
ap_long:
  mov %ebx, %edi
  jmp ap_claim

.section .note.GNU-stack, "", @progbits
