"""A person and a study: assessments, overrides, triage."""
