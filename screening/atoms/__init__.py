"""One person against all open protocols: every verdict at once, equal to the interpreter's."""
