"""The packages that reading scans needs beyond the others."""

from __future__ import annotations

from importlib import import_module

from ihcscore.errors import PetError


def require(package: str) -> None:
    """Refuse, in a sentence, what needs a package that is not installed.

    Raises
    ------
    PetError
    """
    try:
        import_module(package)
    except ImportError as error:
        raise PetError(
            f"{package} is not installed, without which scans cannot be read; pip install 'ihcscore[pet]'"
        ) from error
