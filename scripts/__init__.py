"""The command line: one module a verb, run as `python -m scripts.<verb>`."""
