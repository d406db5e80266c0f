"""Who changed what, when and why; never the values."""
