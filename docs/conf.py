"""The documentation site: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "tools"), str(HERE.parent)]

import command_line  # noqa: E402

import ihcscore  # noqa: E402

project, author, copyright = "ihcscore", "the ihcscore authors", "the ihcscore authors"  # noqa: A001
release = version = ihcscore.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "tools"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "show_toc_level": 2}
html_sidebars = {"index": []}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "dollarmath"]
numpydoc_show_class_members = False
autosummary_generate = True
autodoc_typehints = "none"
# Pages link to files of the repository that are no pages of the site, such as CONTRIBUTING.md.
suppress_warnings = ["myst.xref_missing"]

command_line.PAGE.parent.mkdir(exist_ok=True)
command_line.PAGE.write_text(command_line.command_line_page(), encoding="utf-8")
