"""Asking people: questionnaires, what was answered, and what an answer asserts."""
