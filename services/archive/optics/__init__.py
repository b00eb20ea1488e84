"""Pictures: reading them, small ones of them, and pages of the files they came from."""
