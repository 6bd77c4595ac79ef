"""Cases of what a function may do and how that ends: each a small function of its own, on any engine."""

from executor.scenarios import endings, invokes, limits, parallel, retries, state, steps, waits
from executor.scenarios.lab import FUNCTIONS, Lab

CASES = {name: each for name, each in FUNCTIONS.items() if each.is_case}

__all__ = ["CASES", "Lab", "endings", "invokes", "limits", "parallel", "retries", "state", "steps", "waits"]
