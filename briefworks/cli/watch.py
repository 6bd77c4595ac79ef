"""An article in the terminal: phases as lines, sections in their order, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from briefworks.fold import apply, empty_state
from briefworks.shapes import TERMINAL, ArticleState, Polished, RunFailed, StreamRow
from briefworks.stream import Store


def follow(store: Store, project_id: str, article_id: str) -> Iterator[StreamRow]:
    """The article's rows, each new one as it is written, until a terminal row."""
    seen = 0
    while True:
        page = store.read(project_id, seen, article_id)
        for row in page["rows"]:
            yield row
            if row["event"] in TERMINAL:
                return
        seen = page["upto"]
        if seen >= page["head"]:
            store.wait(project_id, seen, timeout_s=1.0)


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

    @classmethod
    def of(cls, project_id: str, article_id: str) -> TerminalView:
        return cls(empty_state(project_id, article_id))

    def row(self, row: StreamRow) -> None:
        before = {section["n"]: section["take"] for section in self.state["sections"]}
        self.state = apply(self.state, row)
        match row["event"]:
            case "run-started":
                _line("start", f"“{row['data']['keyword']}” in the voice of {row['data']['persona']}")
            case "research-progress":
                data = row["data"]
                _line(
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
                        _line(self.state["phase"], "the model is thinking…", dim=True)
            case "brief-done":
                self._brief(again=row["step"] == "regenerate-brief")
            case "draft-token" | "section-done" if row["step"].startswith("draft-section-"):
                self._sections(before)
            case "critique-done":
                count = len(row["data"]["findings"])
                _line("polish", f"round {row['data']['round']}: {count} findings")
            case "section-done":
                _line("polish", f"section {row['data']['n']} rewritten")
            case "polish-done" if self.state["polished"]:
                self._done(self.state["polished"])
            case "run-failed" if self.state["error"]:
                self._failed(self.state["error"])
            case "run-cancelled":
                _line("end", f"cancelled by {row['data']['by']}", fg="yellow")

    def _research(self) -> None:
        research = self.state["research"]
        assert research is not None
        read = [page for page in research["pages"] if page["snapshot_id"] is not None]
        _line(
            "research",
            f"{len(research['pages'])} results, {len(read)} pages read, {len(research['entities'])} entities",
        )

    def _brief(self, again: bool) -> None:
        brief = self.state["brief"]
        assert brief is not None
        _line("brief", brief["title"] + (" (once more, for the gaps)" if again else ""))
        headings = [f"{plan['n']}. {plan['heading']}" for plan in brief["outline"]]
        if headings != self.headings:
            click.echo("".join(f"            {heading}\n" for heading in headings), nl=False)
        self.headings = headings
        if brief["gaps"]:
            _line("brief", f"gaps: {', '.join(gap['what'] for gap in brief['gaps'])}"[:200], dim=True)

    def _sections(self, takes: dict[int, int]) -> None:
        for section in self.state["sections"]:
            n, text = section["n"], section["markdown"]
            if n != self.section or (not text and section["status"] == "waiting"):
                continue
            if n not in self.shown:
                click.secho(f"\n## {section['heading']}\n", bold=True)
            elif self.shown[n] and section["status"] == "writing" and takes.get(n, 0) < section["take"]:
                click.secho("\n[this section starts again]\n", fg="yellow")
                self.shown[n] = ""
            click.echo(_rest(text, self.shown.get(n, "")), nl=section["status"] == "done")
            self.shown[n] = text
            if section["status"] != "done":
                return
            self.section += 1

    def _done(self, article: Polished) -> None:
        fixed = sum(finding["fixed"] for finding in article["findings"])
        usd = article["usage"]["usd"]
        click.echo()
        _line("polish", f"{fixed} of {len(article['findings'])} findings mended; tells per 1,000 words "
              f"{article['tells_before']:.1f} → {article['tells_after']:.1f}")  # fmt: skip
        _line(
            "done",
            f"{article['words']} words, {len(article['sources'])} sources, "
            f"{article['usage']['calls']} model calls" + (f", ${usd:.2f}" if usd is not None else ""),
            fg="green",
        )

    def _failed(self, error: RunFailed) -> None:
        where = f" in {error['step']}" if error["step"] else ""
        click.echo()
        _line("failed", f"{error['message']} ({error['code']}{where})", fg="red")
        if error["hint"]:
            click.echo(f"            {error['hint']}")


def _rest(text: str, shown: str) -> str:
    """What is to be printed of `text` after `shown`, which code may have mended meanwhile."""
    if text.startswith(shown):
        return text[len(shown) :]
    at = text.find(shown[-40:])
    return text[at + len(shown[-40:]) :] if at >= 0 else f"\n\n[mended:]\n\n{text}"


def _line(what: str, text: str, *, fg: str | None = None, dim: bool = False) -> None:
    click.secho(f"{what:>10}  {text}", fg=fg, dim=dim)
