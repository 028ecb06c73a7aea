"""The import order of the package, held as the design says."""

import ast
import subprocess
import sys
from pathlib import Path

import ihcscore

PACKAGE = Path(ihcscore.__file__).parent

# Each module or folder may import from those below it only; rooms of one layer don't import each other.
LAYERS = [
    {"cli"},
    {"demo"},
    {"cohort"},
    {"serial"},
    {"run", "study", "suv"},
    {
        "slide",
        "tissue",
        "regions",
        "fields",
        "cells",
        "score",
        "register",
        "statistics",
        "pet",
        "pictures",
        "output",
        "report",
        "synthetic",
    },
    {"stain", "profiles", "geometry", "sheet"},
    {"schema", "errors"},
]
DEPTH = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}


def imported(file: Path) -> set[str]:
    """Names of the modules of the package that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ihcscore":
            parts = node.module.split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("ihcscore.")}
    return names & set(DEPTH)


def test_every_module_has_a_layer():
    modules = {file.stem for file in PACKAGE.glob("*.py")} | {
        f.parent.name for f in PACKAGE.glob("*/__init__.py")
    }
    assert modules - {"__init__", "__main__"} == set(DEPTH)


def test_imports_go_down_only():
    for file in PACKAGE.rglob("*.py"):
        own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own in DEPTH:
            upward = {name for name in imported(file) - {own} if DEPTH[name] <= DEPTH[own]}
            assert not upward, f"{file.name} imports {upward}"


def test_command_line_loads_nothing_heavy():
    code = (
        "import sys, ihcscore, ihcscore.cli;"
        "print([m for m in ('numpy', 'pandas', 'cv2', 'skimage', 'scipy', 'PIL') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_exports_load_on_first_use():
    for name in ihcscore.__all__:
        assert getattr(ihcscore, name) is not None
    assert set(ihcscore.__all__) <= set(dir(ihcscore))
