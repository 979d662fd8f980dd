// Where CPU 0 enters the guest: the PVH entry, and the way from there to C++.
#include "guest/boot/long_mode.h"

// The note that tells the loader where (Xen, "x86/HVM direct boot ABI").
.section .note.pvh, "a", @note
.balign 4
  .long note_name_end - note_name
  .long note_entry_end - note_entry
  .long kAsmPvhEntryNote
note_name:
  .asciz "Xen"
note_name_end:
.balign 4
note_entry:
  .quad pvh_entry
note_entry_end:

// In: 32-bit protected mode, no paging, flat segments that the loader owns, interrupts off,
// EBX = physical address of the start info. No stack.
.section .text.boot, "ax"
.code32
.globl pvh_entry
pvh_entry:
  cli
  cld

  // The two upper levels of the page tables; the lowest stands in the image. They are
  // complete before any AP uses them, and accessed from the start, so that none writes to them.
  mov $page_map, %edi
  mov $page_directory_pointers, %eax
  or $kAsmTableEntry, %eax
  mov %eax, (%edi)
  mov $page_directory_pointers, %edi
  mov $page_directories, %eax
  or $kAsmTableEntry, %eax
  mov $kAsmPageDirectories, %ecx
1:
  mov %eax, (%edi)
  add $kAsmPageSize, %eax
  add $8, %edi
  dec %ecx
  jnz 1b

  lgdt boot_gdt_pointer
  ENTER_LONG_MODE pvh_long

.code64
pvh_long:
  LOAD_DATA_SEGMENTS
  mov $boot_stack, %esp
  add $kAsmBootStackSize, %esp
  xor %ebp, %ebp
  mov %ebx, %edi
  call guest_main
1:
  cli
  hlt
  jmp 1b

.section .rodata.boot, "a"
.globl boot_gdt_pointer
.balign 2
boot_gdt_pointer:
  .word kAsmBootGdtLimit
  .long boot_gdt
  .long 0 // LGDT takes ten bytes in 64-bit mode

.section .note.GNU-stack, "", @progbits
