"""A reader disagrees with a run's cells, and its scores follow: the trail, its replay, what QuPath gives back."""
