"""Any stream of one article: steps tried again, runs that fail, whole articles; as Hypothesis likes it."""

from hypothesis import strategies as st

from store_model import ModelStore
from store_rows import FAILED, RUN, Clock, brief_done, polish_done, research_done, section_done, token, usage

STEPS = {
    "research": [("research-progress", {"stage": "serp", "done": 1, "of": 1, "note": ""}), research_done()],
    "brief": [token("b – 书", "brief-token"), brief_done("One", "Two", usd=0.0123456789)],
    "regenerate-brief": [token("r", "brief-token"), brief_done("Uno", "Due", "Tre")],
    "draft-section-1": [token("é\r\n\n😀"), section_done(1, "Eins.", "Eins", calls=3, usd=0.07)],
    "draft-section-2": [token("\u2028data: y"), section_done(2, "Zwei.", "Zwei", usd=None)],
    "draft-section-3": [token("z"), section_done(3, "Drei.", "Drei")],
    "draft": [("draft-done", {"v": 1, "title": "", "sections": [], "sources": [], "usage": usage(0, 0.0)})],
    "polish-critique-1": [("critique-done", {"v": 1, "round": 1, "findings": [], "usage": usage()})],
    "polish-section-1-1": [token("p", "polish-token", paragraph=1), section_done(1, "Rewritten.", "Eins")],
    "polish": [polish_done("Erster.", "Zweiter.")],
}
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["open", "append", "append", "append", "finish", "finish", "end"]),
        st.sampled_from([step for step in STEPS if step != "polish"] * 3 + ["polish"]),
        st.integers(1, 3),
    ),
    min_size=15,
    max_size=80,
)


def replay(actions):
    """The store's model after each call that wrote something: runs that fail, steps that are tried again."""
    store, runs, claims = ModelStore(Clock()), 0, 0
    for what, step, count in actions:
        newest = store.newest_run("a")
        if newest is None or store.runs[newest]["ended"] not in (None, "polish-done"):
            runs += 1
            store.start_run("a", f"r{runs}", RUN)
        elif store.runs[newest]["ended"]:
            return
        elif what == "end":
            event = ("run-failed", FAILED) if count > 1 else ("run-cancelled", {"by": "user", "reason": ""})
            store.end_run(newest, *event)
        else:
            takes = store.takes.get(("a", step), [])
            if takes and takes[-1]["run"] == newest and takes[-1]["done"]:
                continue
            if what == "open" or not takes or takes[-1]["run"] != newest:
                claims += 1
                store.open_take("a", newest, step, f"c{claims}")
            take, *live, done = store.takes["a", step][-1], *STEPS[step]
            place = ("a", step, len(store.takes["a", step]), take["count"])
            if what == "append":
                store.append(*place, [*live, ("thinking", {"since_ms": 1})][-count:])
            elif what == "finish":
                store.finish(*place, [*live, done][-count:], step == "polish")
        yield store
