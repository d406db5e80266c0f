"""People and their way from a public link to a site's outcome."""
