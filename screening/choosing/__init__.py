"""Which question comes next, when a study's answer no longer depends on any, and what was then found."""
