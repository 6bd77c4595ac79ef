"""
A Hypothesis machine that drives a store and the plain model side by side; both must answer alike.

How a store is opened, and how it can crash on the way (see `attempt`), its own test file says.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from store_model import ModelStore
from store_rows import (
    FAILED,
    RUN,
    Clock,
    brief_done,
    outcome,
    plain,
    polish_done,
    research_done,
    section_done,
    token,
)

ARTICLES = ("a", "b")
RUNS = ("r1", "r2", "r3", "r4")
DECISIONS = [(article, what) for article in ARTICLES for what in ("cancel", "finish-now")]
STEPS = ("research", "brief", "draft-section-1", "polish")
DONE = {
    "research": research_done(),
    "brief": brief_done("One"),
    "draft-section-1": section_done(),
    "polish": polish_done("One."),
}
LOST_AFTER_S = 100
TEXTS = st.sampled_from(["", "word ", "“ü” 🙂"])
LIVE_ROWS = st.lists(
    st.one_of(
        TEXTS.map(token),
        TEXTS.map(lambda note: ("research-progress", {"stage": "serp", "done": 1, "of": 1, "note": note})),
        st.just(("thinking", {"since_ms": 1})),
    ),
    max_size=4,
)


class StoreMachine(RuleBasedStateMachine):
    """`open_store(clock)` opens the store under test, empty at first."""

    def __init__(self):
        super().__init__()
        self.model_clock, self.store_clock = Clock(), Clock()
        self.model = ModelStore(self.model_clock, LOST_AFTER_S)
        self.store = self.open_store()
        self.opened = []  # (article, step, take)

    def open_store(self):
        raise NotImplementedError

    def attempt(self, data, method, *args):
        """Do it in both; `data` is there for whoever wants to crash on the way."""
        found = self.in_store(method, *args)
        assert found == self.in_model(method, *args)
        return found

    def in_model(self, method, *args):
        return outcome(getattr(self.model, method), *args)

    def in_store(self, method, *args):
        return outcome(getattr(self.store, method), "p", *args)

    @rule(
        data=st.data(),
        article=st.sampled_from(ARTICLES),
        run=st.sampled_from(RUNS),
        parent=st.none() | st.sampled_from(RUNS),
    )
    def start_run(self, data, article, run, parent):
        self.attempt(data, "start_run", article, run, {**RUN, "parent_run_id": parent})

    @rule(
        data=st.data(),
        article=st.sampled_from(ARTICLES),
        step=st.sampled_from(STEPS),
        run=st.none() | st.sampled_from(RUNS),
        claim=st.integers(1, 8).map(str),
    )
    def open_take(self, data, article, step, run, claim):
        run = run or self.model.newest_run(article) or "r1"
        found = self.attempt(data, "open_take", article, run, step, claim)
        if isinstance(found, dict):
            self.opened.append((article, step, found["take"]))

    def place(self, data):
        """A take, mostly one that was opened lately, and an index near the end of its rows."""
        lately = st.sampled_from(self.opened[-6:][::-1]) if self.opened else st.nothing()
        anything = st.tuples(st.sampled_from(ARTICLES), st.sampled_from(STEPS), st.integers(1, 3))
        article, step, take = data.draw(lately | anything if self.opened else anything)
        takes = self.model.takes.get((article, step), [])
        count = takes[take - 1]["count"] if take <= len(takes) else 0
        back = data.draw(st.sampled_from([0, 0, 0, 1, 2, -1]))
        return article, step, take, max(count - back, 0)

    @rule(data=st.data(), rows=LIVE_ROWS)
    def append(self, data, rows):
        self.attempt(data, "append", *self.place(data), rows)

    @rule(data=st.data(), rows=LIVE_ROWS)
    def finish(self, data, rows):
        article, step, take, first_idx = self.place(data)
        self.attempt(data, "finish", article, step, take, first_idx, [*rows, DONE[step]], step == "polish")

    @rule(data=st.data(), run=st.sampled_from(RUNS), event=st.sampled_from(["run-failed", "run-cancelled"]))
    def end_run(self, data, run, event):
        self.attempt(data, "end_run", run, event, FAILED)

    @rule(data=st.data(), article=st.sampled_from(ARTICLES), what=st.sampled_from(["cancel", "finish-now"]))
    def decide(self, data, article, what):
        self.attempt(data, "decide", article, what, {"by": "user", "reason": "enough"})

    @rule(seconds=st.sampled_from([1, LOST_AFTER_S + 10]))
    def silence(self, seconds):
        self.model_clock.advance(seconds)
        self.store_clock.advance(seconds)

    @rule(after=st.integers(0, 30), article=st.none() | st.sampled_from(ARTICLES), limit=st.integers(1, 6))
    def read(self, after, article, limit):
        found, expected = self.store.read("p", after, article, limit), self.model.read(after, article, limit)
        assert {**found, "rows": plain(found["rows"])} == {**expected, "rows": plain(expected["rows"])}

    @invariant()
    def all_that_can_be_seen_is_alike(self):
        assert self.seen_in_store() == self.seen_in_model()

    def seen_in_store(self):
        page = self.store.read("p", limit=10_000)
        return (
            page["head"],
            page["upto"],
            plain(page["rows"]),
            [self.store.decision("p", *d) for d in DECISIONS],
        )

    def seen_in_model(self):
        page = self.model.read(limit=10_000)
        decisions = [self.model.decision(*of) for of in DECISIONS]
        return page["head"], page["upto"], plain(page["rows"]), decisions

    def teardown(self):
        self.store.close()
