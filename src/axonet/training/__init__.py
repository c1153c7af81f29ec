"""Commands that make data sets, train and evaluate."""
