"""
Citations: a model cites as `[s3]`; `marks` checks, mends and numbers them, `backing` holds what is said
against what the cited source says.
"""

from briefworks.citations.backing import Checked, Sources, Unsaid, check, stated_by, without
from briefworks.citations.marks import assemble, cited, drop_unknown, normalise, one_line, problems

__all__ = [
    "Checked",
    "Sources",
    "Unsaid",
    "assemble",
    "check",
    "cited",
    "drop_unknown",
    "normalise",
    "one_line",
    "problems",
    "stated_by",
    "without",
]
