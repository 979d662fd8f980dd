// Refuses, for a reason that there is not.
#include "guest.inc"

  find_control_page
  movl $77, 152(%edi) // ControlPage::report.refusal
  ring (RING_REFUSED << 24)
  hlt
