"""Judging a person against a protocol: evidence, leaves, reasons, today and on later days."""
