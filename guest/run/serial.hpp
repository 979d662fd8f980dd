// The first serial port (16550), polled. For standalone runs alone.
#pragma once

#include <string_view>

namespace reveille::guest::run {

/// Sets the port up: 115200 baud, 8 bits, no parity, one stop bit.
void open_serial();
/// Waits, bounded, for the port to take each character; gives the text up when it does not.
void write_serial(std::string_view text);

} // namespace reveille::guest::run
