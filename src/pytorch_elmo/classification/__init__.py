"""Training sentence classifiers: data sets, one plain loop, metrics."""
