"""What is said to whom, when, and what came of it."""
