"""A person handed to a site, until the outcome."""
