"""Filings, parties, the register: nouns and legal rules, no I/O.

people: parties, representatives, reporter. filing: what is handed in, and its faults. checklist: what is
still missing. notice: the one-time deficiency notice. case: the register and its state machine.
"""
