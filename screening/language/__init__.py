"""The language of criteria: documents, their notation, and what they are lowered to."""
