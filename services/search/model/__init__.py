"""What is indexed, how text is cut into words, and whose documents a person may find. No I/O."""
