"""Uptake measured in scans: a manifest of scans and volumes to tables and a page."""

from ihcscore.suv.info import describe_scan
from ihcscore.suv.run import SuvResult, measure_scans

__all__ = ["SuvResult", "describe_scan", "measure_scans"]
