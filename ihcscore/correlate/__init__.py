"""Statistics of a study: arrays and tables in, tables out; nothing here touches a file."""

from ihcscore.correlate.adjust import adjust
from ihcscore.correlate.associations import Question, correlate_all
from ihcscore.correlate.densities import add_ratios, patient_densities, sample_densities, variable_name
from ihcscore.correlate.groups import mann_whitney
from ihcscore.correlate.interval import FEWEST, bca, bonett_wright
from ihcscore.correlate.paired import hodges_lehmann, shapiro_wilk, signed_rank, signed_rank_by_patient
from ihcscore.correlate.power import power
from ihcscore.correlate.response import compare_responses
from ihcscore.correlate.serial import compare_scans, pair_scans
from ihcscore.correlate.spearman import RankTest, kendall, spearman, t_approximation_p
from ihcscore.correlate.summary import describe, summarise
from ihcscore.correlate.uptake import join_lesions, join_patients, lesions_at, link_lesions, patient_uptake

__all__ = [
    "FEWEST",
    "Question",
    "RankTest",
    "add_ratios",
    "adjust",
    "bca",
    "bonett_wright",
    "compare_responses",
    "compare_scans",
    "correlate_all",
    "describe",
    "hodges_lehmann",
    "join_lesions",
    "join_patients",
    "kendall",
    "lesions_at",
    "link_lesions",
    "mann_whitney",
    "pair_scans",
    "patient_densities",
    "patient_uptake",
    "power",
    "sample_densities",
    "shapiro_wilk",
    "signed_rank",
    "signed_rank_by_patient",
    "spearman",
    "summarise",
    "t_approximation_p",
    "variable_name",
]
