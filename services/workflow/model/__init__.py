"""Nouns and legal rules of workflow; no I/O."""
