"""Pages for coordinators: studies, sites, criteria, questions, approvals, materials and holds."""
