"""Hashes by which files are known again."""

from __future__ import annotations

import hashlib
from pathlib import Path

# A file up to so large is hashed whole, else as many places of it, its two ends among them.
_BLOCK_BYTES, _N_BLOCKS = 1 << 16, 16


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sampled_sha256(path: Path) -> str:
    """SHA-256 of a file's size and of 16 blocks of 64 KiB spread over it: slides take minutes to read whole.

    A file of no more than those blocks counts with all its bytes.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    n_bytes = path.stat().st_size
    digest = hashlib.sha256(str(n_bytes).encode())
    with path.open("rb") as file:
        if n_bytes <= _N_BLOCKS * _BLOCK_BYTES:
            digest.update(file.read())
        else:
            for block in range(_N_BLOCKS):
                file.seek(block * (n_bytes - _BLOCK_BYTES) // (_N_BLOCKS - 1))
                digest.update(file.read(_BLOCK_BYTES))
    return digest.hexdigest()
