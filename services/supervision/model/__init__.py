"""Clocks by law: which facts move them, how they stand, what is to be told of them. No I/O."""
