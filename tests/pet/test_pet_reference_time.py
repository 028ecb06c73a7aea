"""The reference time of START by evidence: hand-made times, and what published headers do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ihcscore.errors import PetError
from ihcscore.pet.reference import Candidate, Times, average_time_s, find_reference

HALF_LIFE_S = 6586.2
DECAY = math.log(2) / HALF_LIFE_S
T = 180.0
AVERAGE = float(average_time_s(np.array([T]), DECAY)[0])
NINE = 9 * 3600.0


def times(acquired, reference=None, *, series=NINE, factor=None, duration=T, ge=False, **said):
    n = len(acquired)
    return Times(
        acquired_s=NINE + np.array(acquired, float),
        frame_reference_s=None if reference is None else np.array(reference, float),
        duration_s=np.full(n, duration),
        decay_factor=None if factor is None else np.array(factor, float),
        series_s=series,
        said_s={Candidate[name.upper()]: at for name, at in said.items()},
        from_start=ge,
    )


def found(*args, **kwargs):
    return find_reference(times(*args, **kwargs), HALF_LIFE_S, "scan")


def test_average_of_a_frame_is_a_little_before_its_middle():
    assert 90 - 0.3 < AVERAGE < 90
    assert average_time_s(np.array([1e-3]), DECAY)[0] == pytest.approx(5e-4, rel=1e-6)


def test_series_time_that_frames_confirm():
    reference = found([0, 185], [AVERAGE, 185 + AVERAGE])
    assert reference.source is Candidate.SERIES
    assert reference.at_s == NINE


def test_frame_reference_times_that_are_starts():
    # GE, and anyone whose reference time lies before the frame's average.
    for ge in (True, False):
        reference = found([0, 185], [0, 185], series=NINE + 3000, ge=ge)
        assert reference.source is Candidate.BACK_COMPUTED
        assert reference.at_s == NINE


def test_acquisition_time_that_is_the_scans():
    # One acquisition time for all beds.
    reference = found([0, 0, 0], [0, 185, 370], series=NINE + 3000)
    assert (reference.source, reference.at_s) == (Candidate.BACK_COMPUTED, NINE)
    # Acquisition at the series time although every reference time lies beyond the frame: Philips BQML.
    reference = found([20, 20], [1360, 1360])
    assert (reference.source, reference.at_s) == (Candidate.SERIES, NINE)


def test_decay_factor_where_the_series_was_copied():
    # A frame from 50 to 70 min after the reference.
    start, frame = 3000.0, 1200.0
    average = float(average_time_s(np.array([frame]), DECAY)[0])
    factor = math.exp(DECAY * (start + average))
    reference = found([start], None, series=NINE + 9000, factor=[factor], duration=frame)
    assert reference.source is Candidate.DECAY_FACTOR
    assert reference.at_s == pytest.approx(NINE, abs=1e-6)


def test_decay_factor_of_one_says_nothing():
    reference = found([0, 185], None, factor=[1, 1])
    assert reference.source is Candidate.SERIES
    assert Candidate.DECAY_FACTOR not in reference.candidates_s


def test_what_is_said_outright_comes_first():
    reference = find_reference(
        times([0, 185], [0, 185], stated=NINE - 100.0, siemens=NINE - 50.0), HALF_LIFE_S, "scan"
    )
    assert reference.source is Candidate.STATED
    assert {name for name, _ in reference.contradictions()} >= {Candidate.SERIES, Candidate.ACQUISITION}


def test_late_series_and_no_frames():
    reference = found([0, 185], None, series=NINE + 2760)
    assert (reference.source, reference.at_s) == (Candidate.ACQUISITION, NINE)


def test_series_before_frames_that_contradict_it():
    with pytest.raises(PetError, match=r"08:00:00.*09:00:00.*reference_time"):
        found([0, 185], [AVERAGE, 185 + AVERAGE], series=NINE - 3600)


def test_nothing_to_go_by():
    with pytest.raises(PetError, match="reference_time"):
        found([0, 185], None, series=None)


def test_witnesses_that_contradict_each_other():
    with pytest.raises(PetError, match="DecayFactor"):
        found([600, 600], [AVERAGE, AVERAGE], series=None, factor=[1.5, 1.5])


@given(
    start=st.floats(0, 3000),
    beds=st.integers(1, 8),
    frame=st.floats(60, 600),
    late=st.floats(61, 40_000),
    starts=st.booleans(),
    by_factor=st.booleans(),
)
def test_a_copied_series_time_never_moves_the_reference(start, beds, frame, late, starts, by_factor):
    since = start + np.arange(beds) * (frame + 5)
    average = average_time_s(np.full(beds, frame), DECAY)
    reference = since if starts else since + average
    factor = np.exp(DECAY * (since + average)) if by_factor else None
    given_times = Times(
        acquired_s=NINE + since,
        frame_reference_s=None if by_factor else reference,
        duration_s=np.full(beds, frame),
        decay_factor=factor,
        series_s=NINE + since.max() + late,
        from_start=starts,
    )
    assert find_reference(given_times, HALF_LIFE_S, "scan").at_s == pytest.approx(NINE, abs=0.01)
