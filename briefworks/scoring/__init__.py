"""Scoring: what the pages that rank share, and how good each of them is by what can be counted."""

from briefworks.scoring.copies import copies
from briefworks.scoring.pages import PageFacts, covers, flesch, score_pages, spearman
from briefworks.scoring.terms import shared_terms, verify_entities

__all__ = [
    "PageFacts",
    "copies",
    "covers",
    "flesch",
    "score_pages",
    "shared_terms",
    "spearman",
    "verify_entities",
]
