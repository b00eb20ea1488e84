"""The verbs of the intake room, one transaction each."""
