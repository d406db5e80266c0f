"""The outbox: every message is a row, sent once, and never lost."""
