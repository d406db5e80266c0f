"""Commands of the ``flask`` command line, a module for each group."""
