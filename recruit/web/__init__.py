"""The web application: a blueprint for each area."""
