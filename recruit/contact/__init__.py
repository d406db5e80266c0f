"""Consents, suppressions, contact policy and the timeline of communication."""
