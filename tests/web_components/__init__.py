"""The design system without a browser: markup, tokens, weight."""
