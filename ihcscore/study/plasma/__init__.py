"""Plasma samples: activity, intact tracer, areas under curves, half-lives."""
