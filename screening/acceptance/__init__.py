"""Screeners with typed acceptance rules, read as criteria; what is broken is named with why."""
