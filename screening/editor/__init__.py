"""Building a rule from menus: the choices, the sentence, the made-up people it is tried on."""
