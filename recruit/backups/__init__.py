"""Backup files of the two databases: how each is written, looked into and loaded."""
