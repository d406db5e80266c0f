"""Visits at a site."""
