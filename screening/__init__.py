"""The pure core: facts, criteria, verdicts, questionnaires."""
