// From 32-bit protected mode to 64-bit mode: the same for CPU 0 and every AP. Included by
// assembly alone.
#pragma once

// In: 32-bit protected mode with a GDT of the guest's loaded, paging off. Out: at \target in
// 64-bit mode, page tables on. Uses EAX, ECX, EDX; no stack. (SDM vol. 3A, 10.8.5
// "Initializing IA-32e Mode".)
.macro ENTER_LONG_MODE target
  mov $kAsmCr4, %eax
  mov %eax, %cr4
  mov $page_map, %eax
  mov %eax, %cr3
  mov $kAsmEferMsr, %ecx
  mov $kAsmEfer, %eax
  xor %edx, %edx
  wrmsr
  mov $kAsmCr0, %eax
  mov %eax, %cr0
  ljmp $kAsmSelectorCode64, $\target
.endm

.macro LOAD_DATA_SEGMENTS
  mov $kAsmSelectorData, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
.endm
