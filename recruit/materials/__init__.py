"""What participants read or hear, its approval, and stored documents."""
