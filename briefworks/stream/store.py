"""The store's contract: what every stream store promises its writers and readers."""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypedDict

from briefworks.shapes import Event, RunStarted, StreamRow, Terminal

Row = tuple[Event, dict[str, Any]]
DELETED = "The article was deleted."  # why it is cancelled then; a run that begins later finds it so
Decision = Literal["cancel", "review", "finish-now"]


class Take(TypedDict):
    """The answer to `open_take`."""

    take: int
    done: (
        dict[str, Any] | None
    )  # the stored result of a finished take of this step of this run: call no model


class PageOfRows(TypedDict):
    """Rows and head out of ONE snapshot."""

    rows: list[StreamRow]
    head: int
    upto: int  # all that still exists and matches up to here is in rows: the reader's next `after`


class Store(Protocol):
    """
    Append-only rows with one cursor per project, and the fences that keep writers apart.

    Errors: `NoProject`, `StaleTake`, `RunOver`, `Hole`, told apart by class and never by HTTP status;
    `StoreUnavailable` is worth another try.
    """

    def start_run(self, project_id: str, article_id: str, run_id: str, data: RunStarted) -> bool:
        """
        Claim the article for this run and write `run-started`; idempotent.

        False: another run of it is alive, has finished it, or a cancel was decided before the run began (it
        is then written as `run-started` and `run-cancelled`). A replay says so by its `parent_run_id`: it may
        start on a finished article too, but only if that is a run of this article and not an erased one. A
        run that has been silent for longer than the store's `lost_after_s`, not in review, is ended as
        `run-failed` (code `lost`) and taken over.
        """

    def open_take(self, project_id: str, article_id: str, run_id: str, step: str, claim_id: str) -> Take:
        """
        A new take of (project, article, step).

        The newest claim repeated gives the same take; a late copy of an older one raises `StaleTake` and
        opens nothing. A run that is not the article's living one raises `RunOver`, but a take of this step
        and run that had finished gives its result even then, as long as its done row is kept.
        """

    def append(
        self, project_id: str, article_id: str, step: str, take: int, first_idx: int, rows: list[Row]
    ) -> int:
        """Store what is new of `rows` (`first_idx` is an index within the take), all or nothing; the head."""

    def finish(
        self,
        project_id: str,
        article_id: str,
        step: str,
        take: int,
        first_idx: int,
        rows: list[Row],
        ends_run: bool = False,
    ) -> int:
        """
        Append the last rows and drop the step's token and thinking rows, of all takes, in one transaction.

        The last row is the done row (one of `shapes.RESULT`), its data the step's result. `ends_run`, which
        goes with `polish-done` and only with it, also closes the run and drops what that row carries: the
        article's progress, token and thinking rows, section-done, draft-done, critique-done, of all runs.
        """

    def end_run(self, project_id: str, run_id: str, event: Terminal, data: dict[str, Any]) -> bool:
        """
        Write the terminal row as pseudo-step "end" unless the run has one (then False).

        Raises `NotFound` for a run that never started.
        """

    def decide(self, project_id: str, article_id: str, what: Decision, decision: dict[str, Any]) -> bool:
        """
        Store a person's decision before the engine is told of it, also before the run exists.

        False if the article's newest run has ended. "cancel" ends a living run at once; a run's end settles
        the decisions that are left.
        """

    def decision(self, project_id: str, article_id: str, what: Decision) -> dict[str, Any] | None:
        """The newest decision of that kind that has not been carried out yet."""

    def read(
        self, project_id: str, after: int = 0, article_id: str | None = None, limit: int = 1000
    ) -> PageOfRows:
        """Rows with `seq > after`, in order; an unknown project is an empty one."""

    def wait(self, project_id: str, after: int, timeout_s: float) -> int:
        """Block until the head is beyond `after` or the time is over; the head."""

    def recall(self, project_id: str, article_id: str, call_key: str) -> dict[str, Any] | None:
        """The remembered answer of a model call."""

    def remember(self, project_id: str, article_id: str, call_key: str, answer: dict[str, Any]) -> None:
        """Keep the answer of a model call; the first one stays."""

    def enter(self, project_id: str, article_id: str, entry_id: str, entry: dict[str, Any]) -> None:
        """
        Write an entry of the article's account, in place of the one of that id; also when its run is over.

        Raises `RunOver` for an article that was erased or never begun.
        """

    def entries(self, project_id: str, article_id: str) -> list[dict[str, Any]]:
        """All entries of the article's account, in the order of their ids."""

    def put_snapshot(self, project_id: str, url: str, text: str, fetched_at: str) -> str:
        """Keep a page's text; its id. The same url and text twice is one snapshot."""

    def snapshot(self, project_id: str, snapshot_id: str) -> str:
        """The text of a snapshot; `NotFound` when there is none."""

    def articles(self, project_id: str, limit: int = 50, before: str | None = None) -> list[dict[str, Any]]:
        """
        The project's articles, newest first: `article_id`, `keyword`, `persona`, `status`, `title`,
        `started_at`, `updated_at`. `before` is the `started_at` of the last one seen.
        """

    def delete_article(self, project_id: str, article_id: str) -> None:
        """Erase its rows, takes, decisions, remembered calls and account; a living run of it is over."""

    def projects_of(self, claims: dict[str, Any]) -> frozenset[str]:
        """
        The projects whose member the user is of whom a checked token says `claims` (`sub`: his id).

        Raises `Unauthorized` where the store has no members.
        """

    def close(self) -> None:
        """Give back connections; the store is not used afterwards."""
