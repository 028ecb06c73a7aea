"""Scores and uptake tables to correlations: what `correlate` and `agree` do."""
