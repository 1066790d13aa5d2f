"""What can be measured with `flowers benchmarks VERB`: one module a verb, as ratios within one run."""
