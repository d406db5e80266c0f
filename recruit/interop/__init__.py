"""Standards in and out."""
