"""Consecutive sections of one sample: how they lie on each other, and the same fields on each."""
