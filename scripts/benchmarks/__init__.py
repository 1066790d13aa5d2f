"""What can be measured with `python -m scripts.benchmark`: one module a verb, with `add_to` and `measure`."""
