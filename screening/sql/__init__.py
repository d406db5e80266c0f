"""The pool in a database: tables of what everybody holds, and a protocol as one SELECT over them."""
