"""Verbs: drafting, uploading, signing, issuing, serving."""
