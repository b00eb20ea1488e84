"""What an instrument is, who signs it, how it is numbered and when it counts as served. Pure."""
