"""Playing a pack's example cases through the public HTTP API, as its different people."""
