"""Events in: each once, in its stream's order. `streams` knows no bus, `entrypoint` alone knows nameko."""
