"""``python -m ihcscore``."""

from ihcscore.cli import main

if __name__ == "__main__":
    main()
