"""Persons, their contact points and their facts."""
