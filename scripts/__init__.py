"""The command line: one module a verb, run as `flowers VERB`."""
