"""Links with a code that says where somebody came from."""
