"""The command line: parses, calls, reports; no logic of its own."""
