"""What can be measured with `python -m scripts.benchmarks.__main__`: one module a verb, with `add_to` and `measure`."""
