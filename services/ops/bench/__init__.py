"""`anjuan bench`: what this machine does, measured; one module a measurement, each with measure(ground)."""
