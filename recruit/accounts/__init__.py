"""Staff accounts, grants, sessions and one-time links."""
