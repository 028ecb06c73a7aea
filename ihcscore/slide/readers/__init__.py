"""One file a kind of slide."""
