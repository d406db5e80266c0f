"""Where people come in: links, drafts, submissions, inquiries."""
