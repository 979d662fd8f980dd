// The first instruction is a triple fault: there is no interrupt table.
#include "guest.inc"

  ud2
