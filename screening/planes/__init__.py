"""The pool against a protocol: everybody at once, 64 people to a word, equal to the interpreter's verdicts."""
