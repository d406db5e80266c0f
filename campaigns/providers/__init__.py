"""Who carries messages: one small port, one file for each carrier."""
