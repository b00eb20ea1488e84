"""The real parts of one machine: database, broker, object store, index, each in a folder and on ports of its own."""
