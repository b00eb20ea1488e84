"""Verbs of the search room: take in what owners tell, write it to the index, build the index anew."""
