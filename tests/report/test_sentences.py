"""Numbers as the papers of the field put them."""

import math

import pytest

from ihcscore.report import sentences


def test_the_papers_own_sentences():
    assert f"CD25 {sentences.mean_range(53.6, 1.2, 177)}" == "CD25 (mean: 54, range: 1-177 counts/mm²)"
    assert f"SUVmax {sentences.median_iqr(1.9, 1.7, 2.3)}" == "SUVmax 1.9 (IQR: 1.7-2.3)"
    assert (
        sentences.median_iqr(41.26, 30, 55.5, say=sentences.say_plain, unit="Gy") == "41.3 (IQR: 30-55.5 Gy)"
    )
    assert sentences.mean_sd(598.4, 207.1) == "598 ± 207 counts/mm²"
    assert sentences.mean_range(53.6, 0.4, 177).startswith("(mean: 54, range: 0.4-177")
    assert sentences.mean_sd(598.4, math.nan) == "598 counts/mm²"


def test_a_minus_is_no_hyphen():
    assert sentences.span(-0.3, 0.1, sentences.say_suv) == "−0.3 to 0.1"
    assert sentences.median_iqr(-5.2, -11, 3, say=sentences.say_percent) == "−5.2 % (IQR: −11.0 % to +3.0 %)"


@pytest.mark.parametrize(
    ("p", "asymptotic", "said"),
    [
        (
            0.01367,
            0.0164,
            "P = 0.014, exact Wilcoxon test; the asymptotic one, as SPSS prints it, is P = 0.016",
        ),
        (0.0625, math.nan, "P = 0.062, exact Wilcoxon test"),
        (math.nan, math.nan, "no P by the Wilcoxon test"),
    ],
)
def test_both_p_are_named(p, asymptotic, said):
    assert sentences.exact_and_spss(p, asymptotic, "Wilcoxon") == said


def test_numbers_of_things():
    assert [sentences.number_of(n, "patient") for n in (0, 1, 2)] == ["0 patients", "1 patient", "2 patients"]
    assert [sentences.listed(list(words)) for words in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
