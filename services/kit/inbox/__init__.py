"""Events in: each applied once and in order of its stream, in the transaction of what it causes.

`streams` is the rule book and knows only SQL; `entrypoint` is the only part that knows nameko.
"""
