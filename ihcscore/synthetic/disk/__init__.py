"""What is written: slides, cohorts, truth, tables."""
