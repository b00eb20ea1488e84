"""Verbs: what facts do to clocks, what effects do, what the passing of days does."""
