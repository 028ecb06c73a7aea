"""The import order of the package, held as the design says."""

import ast
import graphlib
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
    {"review"},
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
    {"weights"},
    {"stain", "profiles", "sheet"},
    {"planes"},
    {"geometry"},
    {"schema", "errors", "workers"},
]
# Rooms that open files; all others get bytes, tables and pictures from them, and give those to them.
# The ground's profiles and weights read those that come with the package, before any room is there.
OPENS_FILES = {"output", "pictures", "slide", "sheet", "pet", "synthetic", "profiles.py", "weights.py"}
FILE_CALLS = {
    "mkdir", "open", "read_bytes", "read_csv", "read_text", "rmtree", "to_csv", "unlink", "write_bytes",
    "write_text",
}  # fmt: skip
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


def modules_imported(file: Path, modules: set[str]) -> set[str]:
    """Modules of the package that a file imports as it is loaded, by their full names."""
    found = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in modules else node.module)
    return found & modules


def test_no_import_circle():
    files = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for file in PACKAGE.rglob("*.py")
    }
    graph = {name: modules_imported(file, set(files)) - {name} for name, file in files.items()}
    assert list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError where there is one


def file_calls(file: Path) -> set[str]:
    """Names of the calls in a file that open, write or remove files."""
    calls = (node.func for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call))
    names = {
        call.attr if isinstance(call, ast.Attribute) else call.id
        for call in calls
        if isinstance(call, ast.Attribute | ast.Name)
    }
    return names & FILE_CALLS


def test_only_the_rooms_for_files_open_files():
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(PACKAGE).parts
        if parts[0] not in OPENS_FILES:
            calls = file_calls(file)
            assert not calls, f"{'/'.join(parts)} calls {calls}; let output, pictures or sheet do it"


def loaded(code: str, *modules: str) -> set[str]:
    """Which of the modules are loaded after the code has run in a Python of its own."""
    code += f"\nimport sys; print(*(name for name in {modules} if name in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(shown.stdout.split())


def test_command_line_loads_nothing_heavy():
    heavy = ("numpy", "pandas", "cv2", "skimage", "scipy", "PIL", "rich", "jinja2", "shapely")
    assert not loaded("import ihcscore, ihcscore.cli.commands", *heavy)


def test_counting_on_arrays_loads_its_three_libraries_only():
    heavy = ("scipy", "skimage", "matplotlib", "jinja2", "shapely", "openslide", "tifffile",
             "PIL", "rich", "typer")  # fmt: skip
    found = loaded("from ihcscore import count_cells", "numpy", "cv2", "pandas", *heavy)
    assert found == {"numpy", "cv2", "pandas"}


def test_a_worker_loads_no_study_and_no_figures():
    unneeded = (
        "matplotlib",
        "typer",
        "rich",
        "ihcscore.study",
        "ihcscore.pet",
        "ihcscore.synthetic",
    )
    assert not loaded("import ihcscore.cohort.work", *unneeded)


def test_exports_load_on_first_use():
    for name in ihcscore.__all__:
        assert getattr(ihcscore, name) is not None
    assert set(ihcscore.__all__) <= set(dir(ihcscore))
