"""What can be measured with `python -m scripts.benchmarks`: one module a verb, with `add_to` and `measure`."""
