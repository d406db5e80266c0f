"""What came of it: the exact funnel and what each stage cost."""
