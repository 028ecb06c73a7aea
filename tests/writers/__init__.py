"""Small real slides in the formats of scanners, and damage to them, for tests of the readers."""
