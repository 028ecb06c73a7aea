"""A reader disagrees with a run's cells, and its scores follow."""
