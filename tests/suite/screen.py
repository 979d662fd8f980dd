"""What a terminal shows of the little that the lab writes to one."""

import re

TOKEN = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Screen:
    """Lines without end, a window of `height` of them at the bottom, as a terminal has it."""

    def __init__(self, columns, height):
        self.columns, self.height = columns, height
        self.lines, self.row, self.column = [""], 0, 0
        self.wraps = True
        self.unknown = []

    def feed(self, text):
        position = 0
        while position < len(text):
            token = TOKEN.match(text, position)
            assert token, f"not understood: {text[position:position + 20]!r}"
            position = token.end()
            argument, command, control, plain = token.groups()
            if command:
                self.obey(argument, command)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self.down()
            else:
                self.put(plain)

    def obey(self, argument, command):
        if command == "A":
            top = max(len(self.lines) - self.height, 0)
            self.row = max(self.row - int(argument or 1), top)
        elif command == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif command == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            # They stay there, empty: a terminal does not scroll back.
            self.lines[self.row + 1 :] = [""] * (len(self.lines) - self.row - 1)
        elif (argument, command) in (("?7", "l"), ("?7", "h")):
            self.wraps = command == "h"
        elif command != "m":
            self.unknown.append(argument + command)

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def put(self, text):
        for letter in text:
            if self.column == self.columns:
                if not self.wraps:
                    continue
                self.down()
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + letter + line[self.column + 1 :]
            self.column += 1

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")
