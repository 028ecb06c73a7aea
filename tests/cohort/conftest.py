"""One cohort and one run on it, for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from drawn_cohort import SETTINGS, Scored, draw_cohort
from ihcscore.cohort import score_cohort
from ihcscore.synthetic import CohortFiles


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> CohortFiles:
    return draw_cohort(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="session")
def scored(cohort: CohortFiles, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """A run by one process that nothing disturbed. Not to be written to."""
    out = tmp_path_factory.mktemp("undisturbed") / "results"
    said: list[tuple[str, float]] = []
    result = score_cohort(
        cohort.manifest, out=out, settings=SETTINGS, progress=lambda *told: said.append(told)
    )
    (out.parent / "progress.txt").write_text("\n".join(text for text, _ in said), encoding="utf-8")
    return Scored(manifest=cohort.manifest, out=out, result=result)


@pytest.fixture
def copy(scored: Scored, tmp_path: Path) -> Scored:
    """Slides and results that a test may spoil; with ``resume`` only what it spoiled is done again."""
    return scored.copied_to(tmp_path)
