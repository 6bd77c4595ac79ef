"""How a run is asked for once more: what of it is kept, and for an article always a claim of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from briefworks.errors import Conflict, RequestInvalid

ARTICLE_FN = "briefworks-generate-article"  # as the engine names it
CLAIM = "start"  # the step that claims an article, and how the later ones are named


def replay_request(
    fn_id: str, status: str, steps: Sequence[str], from_step: str | None = None, *, anew: bool = False
) -> dict[str, Any]:
    """
    The body of the engine's rerun, for a run of this function and status with these steps, in their order.

    Without `from_step` and `anew` every finished step is kept. An article's run is never begun from nothing:
    the engine gives it the same event, and the store would take it for a duplicate; by the memo of the first
    claim it knows that it is a replay.
    """
    if status.upper() == "RUNNING":
        raise Conflict("The run is still running.", hint="Wait for its end, or cancel it first.")
    if from_step and anew:
        raise RequestInvalid("Say either from which step, or anew.", field="from")
    if not anew and not from_step:
        if status.upper() == "COMPLETED":
            raise RequestInvalid(
                "The run is finished: with all its steps kept there is nothing left to run.",
                field="from",
                hint="Choose the step to begin with (--from), or run all of it (--anew).",
            )
        return {"keepFinished": True}
    if fn_id == ARTICLE_FN and (anew or _is_claim(str(from_step))):
        from_step = next((name for name in steps if not _is_claim(name)), None)
    return {"fromStep": {"stepId": from_step}} if from_step else {}


def _is_claim(step: str) -> bool:
    return step.partition("-")[0] == CLAIM
