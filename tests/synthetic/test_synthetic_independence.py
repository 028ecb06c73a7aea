from __future__ import annotations

import ast
from pathlib import Path

import ihcscore.synthetic

# What is generic: nothing of how cells are counted.
ALLOWED = (
    "ihcscore.schema",
    "ihcscore.errors",
    "ihcscore.workers",
    "ihcscore.stain",
    "ihcscore.planes",
    "ihcscore.geometry",
    "ihcscore.synthetic",
)


def test_drawing_shares_no_code_with_counting() -> None:
    folder = Path(ihcscore.synthetic.__file__).parent
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                assert not name.startswith("ihcscore") or name.startswith(ALLOWED), f"{path.name}: {name}"
