"""An article in the terminal: phases as lines, sections in their order, word by word."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from briefworks.cli.prose import INDENT, Prose, line, plain
from briefworks.client import Client
from briefworks.errors import BriefworksError
from briefworks.fold import apply, empty_state
from briefworks.shapes import ArticleState, Polished, RunFailed, StreamRow

PATIENCE_S = 600.0  # an app that is away for a while is waited for
QUIET_S = 120.0  # a silence that is spoken of


class JsonLines:
    """Prints every row as one line of JSON; `state` is what they add up to."""

    def __init__(self, project_id: str, article_id: str) -> None:
        self.state = empty_state(project_id, article_id)

    def row(self, row: StreamRow) -> None:
        self.state = apply(begun(self.state, row), row)
        click.echo(json.dumps(row, ensure_ascii=False))


def watch(client: Client, view: TerminalView | JsonLines) -> ArticleState:
    """Show the article of `view` until its run ends; the state then."""
    ids = view.state["project_id"], view.state["article_id"]

    def trouble(error: BriefworksError) -> None:
        click.secho(f"\n{plain(str(error))} Trying again …", fg="yellow", err=True)

    with _told_of_silence() as heard:
        for row in client.follow(ids[0], article_id=ids[1], patience_s=PATIENCE_S, on_trouble=trouble):
            heard()
            view.row(row)
    return view.state


@contextmanager
def _told_of_silence() -> Iterator[Callable[[], None]]:
    """To be called at every row; when it is not called for `QUIET_S`, that is said on standard error."""
    rows: queue.SimpleQueue[bool] = queue.SimpleQueue()  # False at the end

    def listen() -> None:
        goes_on = True
        while goes_on:
            try:
                goes_on = rows.get(timeout=QUIET_S)
            except queue.Empty:
                click.secho(
                    f"\nNothing has come for {QUIET_S:.0f} s. The run may wait for its turn, for the model or"
                    " for room on a disk: `briefworks doctor` says what answers, executor.log and app.log in"
                    " the data folder say more.",
                    fg="yellow",
                    err=True,
                )
                goes_on = rows.get()

    threading.Thread(target=listen, name="silence", daemon=True).start()
    try:
        yield lambda: rows.put(True)
    finally:
        rows.put(False)


def begun(state: ArticleState, row: StreamRow) -> ArticleState:
    """The state to apply the row to: an empty one when the app has lost what it had and begins anew."""
    return state if row["seq"] > state["seq"] else empty_state(state["project_id"], state["article_id"])


@dataclass
class TerminalView:
    """
    Prints rows as they come; `state` is what they add up to.

    Sections are written at the same time and shown one after the other: the first unfinished one live, the
    others when their turn comes.
    """

    state: ArticleState
    shown: dict[int, str] = field(default_factory=dict)  # section → what is printed of it
    section: int = 1
    headings: list[str] = field(default_factory=list)
    thinking: set[str] = field(default_factory=set)
    prose: Prose = field(default_factory=Prose)

    @classmethod
    def of(cls, project_id: str, article_id: str) -> TerminalView:
        return cls(empty_state(project_id, article_id))

    def row(self, row: StreamRow) -> None:
        if begun(self.state, row) is not self.state:
            click.secho("\n[the app has lost what it had and begins anew]\n", fg="yellow")
            self.__dict__.update(TerminalView.of(row["project_id"], row["article_id"]).__dict__)
        before = {section["n"]: section["take"] for section in self.state["sections"]}
        self.state = apply(self.state, row)
        match row["event"]:
            case "run-started":
                line("start", f"“{row['data']['keyword']}” in the voice of {row['data']['persona']}")
            case "research-progress":
                data = row["data"]
                line(
                    "research",
                    f"{data['stage']} {data['done']}/{data['of']} {data['note']}".rstrip(),
                    dim=True,
                )
            case "research-done":
                self._research()
            case "thinking":
                if row["step"] not in self.thinking:
                    self.thinking.add(row["step"])
                    if "section" not in row["step"]:  # those are shown as they grow
                        line(self.state["phase"], "the model is thinking…", dim=True)
            case "brief-done":
                self._brief(again=row["step"] == "regenerate-brief")
            case "draft-token" | "section-done" if row["step"].startswith("draft-section-"):
                self._sections(before)
            case "critique-done":
                count = len(row["data"]["findings"])
                line("polish", f"round {row['data']['round']}: {count} findings")
            case "section-done":
                line("polish", f"section {row['data']['n']} rewritten")
            case "polish-done" if self.state["polished"]:
                self._done(self.state["polished"])
            case "run-failed" if self.state["error"]:
                self._failed(self.state["error"])
            case "run-cancelled":
                line("end", f"cancelled by {row['data']['by']}", fg="yellow")

    def _research(self) -> None:
        research = self.state["research"]
        assert research is not None
        read = [page for page in research["pages"] if page["snapshot_id"] is not None]
        line(
            "research",
            f"{len(research['pages'])} results, {len(read)} pages read, {len(research['entities'])} entities",
        )
        if (check := research.get("score_check")) is not None:
            line(
                "research",
                f"score against position: Spearman {check['spearman']:+.2f} over {check['pages']} pages",
                dim=True,
            )

    def _brief(self, again: bool) -> None:
        brief = self.state["brief"]
        assert brief is not None
        line("brief", brief["title"] + (" (once more, for the gaps)" if again else ""))
        headings = [f"{plan['n']}. {plan['heading']}" for plan in brief["outline"]]
        if headings != self.headings:
            click.echo("".join(f"{INDENT}{plain(heading)}\n" for heading in headings), nl=False)
        self.headings = headings
        if brief["gaps"]:
            line("brief", f"gaps: {', '.join(gap['what'] for gap in brief['gaps'])}"[:200], dim=True)

    def _sections(self, takes: dict[int, int]) -> None:
        for section in self.state["sections"]:
            n, text = section["n"], section["markdown"]
            if n != self.section or (not text and section["status"] == "waiting"):
                continue
            if n not in self.shown:
                click.secho(f"\n## {plain(section['heading'])}\n", bold=True)
            elif self.shown[n] and section["status"] == "writing" and takes.get(n, 0) < section["take"]:
                self.prose.end()
                click.secho("\n[this section starts again]\n", fg="yellow")
                self.shown[n] = ""
            self.prose.write(_rest(text, self.shown.get(n, "")))
            self.shown[n] = text
            if section["status"] != "done":
                return
            self.prose.end()
            self.section += 1

    def _done(self, article: Polished) -> None:
        fixed = sum(finding["fixed"] for finding in article["findings"])
        usd = article["usage"]["usd"]
        if self.shown:
            self._sections({})  # those whose own rows were dropped before they were read
        else:  # whoever comes after the end
            self.prose.write(f"\n{article['markdown'].strip()}")
            self.prose.end()
        click.echo()
        line("polish", f"{fixed} of {len(article['findings'])} findings mended; tells per 1,000 words "
              f"{article['tells_before']:.1f} → {article['tells_after']:.1f}")  # fmt: skip
        line(
            "done",
            f"{article['words']} words, {len(article['sources'])} sources, "
            f"{article['usage']['calls']} model calls" + (f", ${usd:.2f}" if usd is not None else ""),
            fg="green",
        )

    def _failed(self, error: RunFailed) -> None:
        where = f" in {error['step']}" if error["step"] else ""
        click.echo()
        line("failed", f"{error['message']} ({error['code']}{where})", fg="red")
        if error["hint"]:
            line("", error["hint"])


def _rest(text: str, shown: str) -> str:
    """What is to be printed of `text` after `shown`, which code may have mended meanwhile."""
    if text.startswith(shown):
        return text[len(shown) :]
    at = text.find(shown[-40:])
    return text[at + len(shown[-40:]) :] if at >= 0 else f"\n\n[mended:]\n\n{text}"
