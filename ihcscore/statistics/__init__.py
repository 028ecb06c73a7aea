"""Tests, intervals and power for small studies: arrays in, numbers out; nothing here knows a table."""

from ihcscore.statistics.adjust import adjust
from ihcscore.statistics.agreement import (
    Agreement,
    Estimate,
    LogDifferences,
    agree,
    intraclass,
    kappa_of,
    log_differences,
    passing_bablok,
    weighted_kappa,
)
from ihcscore.statistics.asymptotic import rank_sum_asymptotic, signed_rank_asymptotic
from ihcscore.statistics.groups import mann_whitney, shift_interval
from ihcscore.statistics.interval import FEWEST, bca, bonett_wright
from ihcscore.statistics.paired import (
    hodges_lehmann,
    median_interval,
    shapiro_wilk,
    signed_rank,
    signed_rank_by_patient,
)
from ihcscore.statistics.permutation import PermutationMethod
from ihcscore.statistics.power import power
from ihcscore.statistics.spearman import RankTest, kendall, spearman, t_approximation_p
from ihcscore.statistics.summary import describe, quartiles

__all__ = [
    "FEWEST",
    "Agreement",
    "Estimate",
    "LogDifferences",
    "PermutationMethod",
    "RankTest",
    "adjust",
    "agree",
    "bca",
    "bonett_wright",
    "describe",
    "hodges_lehmann",
    "intraclass",
    "kappa_of",
    "kendall",
    "log_differences",
    "mann_whitney",
    "median_interval",
    "passing_bablok",
    "power",
    "quartiles",
    "rank_sum_asymptotic",
    "shapiro_wilk",
    "shift_interval",
    "signed_rank",
    "signed_rank_asymptotic",
    "signed_rank_by_patient",
    "spearman",
    "t_approximation_p",
    "weighted_kappa",
]
