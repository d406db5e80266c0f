"""Tests, a folder for each package and kind."""
