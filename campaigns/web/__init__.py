"""Marketing pages, provider callbacks and short links."""
