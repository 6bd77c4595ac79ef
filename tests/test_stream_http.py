"""The stream over HTTP: events as they come, pages for who asks for JSON, places for a limited number."""

import json
import signal
import socket
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest
from httpx_sse import EventSource

from briefworks.errors import StoreUnavailable
from briefworks.stores.sqlite import SqliteStore
from briefworks.web.watching import Watchers
from served import serve_app
from waiting import wait_for

STARTED = {
    "v": 1, "keyword": "standing desks", "persona": "plain-expert", "language": "en", "market": "us",
    "target_words": 900, "parent_run_id": None,
}  # fmt: skip
FAILED = {"code": "x", "step": "draft", "message": "no", "hint": "", "retriable": False}
PLACES = 3


@pytest.fixture(scope="module", params=["waitress", pytest.param("gunicorn", marks=pytest.mark.slow)])
def served(request, tmp_path_factory):
    with serve_app(
        request.param, tmp_path_factory.mktemp("web"), BRIEFWORKS_MAX_WATCHERS=str(PLACES)
    ) as served:
        yield served


@pytest.fixture
def project(served, request):
    """A project of this test's own, while every place is free."""
    wait_for(lambda: watchers(served) == 0)
    return f"p{abs(hash(request.node.nodeid))}"


def begin(served, project, article="a1"):
    served.store.start_run(project, article, f"{project}-{article}", STARTED)
    return served.store.open_take(project, article, f"{project}-{article}", "draft-section-1", "c")["take"]


def write(served, project, take, nth, text="wörd\u2028", article="a1"):
    served.store.append(
        project, article, "draft-section-1", take, nth, [("draft-token", {"text": f"{text}{nth}"})]
    )


@dataclass
class Reader:
    """What a reader has been sent so far."""

    response: httpx.Response
    messages: list = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def listen(self):
        try:
            for message in EventSource(self.response).iter_sse():
                if message.id or message.event == "end":
                    self.messages.append(message)
        except (httpx.HTTPError, httpx.StreamError):
            pass
        self.ended.set()

    @property
    def rows(self):
        return [row for m in self.messages if m.event == "rows" for row in json.loads(m.data)["rows"]]

    @property
    def ids(self):
        return [int(m.id) for m in self.messages if m.id]


@contextmanager
def reading(served, project, query="", **headers):
    url = f"{served.url}/api/projects/{project}/stream?{query}"
    with (
        httpx.Client(trust_env=False, timeout=30) as http,
        http.stream("GET", url, headers={"Accept": "text/event-stream", **headers}) as response,
    ):
        assert response.status_code == 200, response.read()
        reader = Reader(response)
        threading.Thread(target=reader.listen, daemon=True).start()
        wait_for(lambda: reader.messages or reader.ended.is_set())
        try:
            yield reader
        finally:  # closing alone would wait for the thread that reads
            with suppress(OSError):
                response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            assert reader.ended.wait(30)


def watchers(served):
    return httpx.get(f"{served.url}/healthz", trust_env=False).json()["watchers"]["now"]


def test_rows_come_one_by_one_as_they_are_written(served, project):
    take = begin(served, project)
    with reading(served, project, "article=a1") as reader:
        assert reader.response.headers["Content-Type"].startswith("text/event-stream")
        assert reader.response.headers["Cache-Control"] == "no-cache"
        assert reader.response.headers["X-Accel-Buffering"] == "no"
        assert [row["event"] for row in reader.rows] == ["run-started"]
        for nth in range(3):
            write(served, project, take, nth)
            wait_for(lambda nth=nth: len(reader.rows) == nth + 2)
        assert [row["data"].get("text") for row in reader.rows[1:]] == [
            "wörd\u20280", "wörd\u20281", "wörd\u20282",
        ]  # fmt: skip
        assert reader.ids == [1, 2, 3, 4]


def test_the_first_message_comes_at_once_also_without_rows(served, project):
    with reading(served, project, "after=7") as reader:
        assert json.loads(reader.messages[0].data) == {"rows": [], "head": 0, "upto": 0}


def test_last_event_id_wins_over_after(served, project):
    take = begin(served, project)
    write(served, project, take, 0)
    with reading(served, project, "after=0", **{"Last-Event-ID": "1"}) as reader:
        assert [row["seq"] for row in reader.rows] == [2]


def test_rows_of_another_article_move_only_the_id(served, project):
    begin(served, project)
    with reading(served, project, "article=a1") as reader:
        begin(served, project, "a2")
        wait_for(lambda: reader.ids == [1, 2])
        assert [row["article_id"] for row in reader.rows] == ["a1"]
        assert reader.messages[-1].data == "" and reader.messages[-1].event in ("", "message")


def test_a_long_stream_comes_in_pages(served, project):
    take = begin(served, project)
    for nth in range(5):
        write(served, project, take, nth)
    with reading(served, project, "article=a1&limit=2") as reader:
        wait_for(lambda: len(reader.rows) == 6)
        assert reader.ids == [2, 4, 6]


def test_the_answer_ends_with_the_run(served, project):
    begin(served, project)
    with reading(served, project, "article=a1") as reader:
        served.store.end_run(project, f"{project}-a1", "run-failed", FAILED)
        assert reader.ended.wait(30)
        assert [row["event"] for row in reader.rows] == ["run-started", "run-failed"]
        assert (reader.messages[-1].event, reader.messages[-1].data) == ("end", "{}")


def test_a_run_that_goes_on_does_not_end_the_answer_of_its_project_or_of_a_later_run(served, project):
    begin(served, project)
    served.store.end_run(project, f"{project}-a1", "run-failed", FAILED)
    served.store.start_run(project, "a1", f"{project}-again", STARTED)
    with reading(served, project, "article=a1") as one, reading(served, project) as all_of_them:
        served.store.start_run(project, "a2", f"{project}-other", STARTED)
        wait_for(lambda: one.ids[-1] == 4 == all_of_them.ids[-1])
        assert not one.ended.is_set() and not all_of_them.ended.is_set()


def test_above_the_limit_a_reader_is_told_to_poll_and_when_to_come_again(served, project):
    with reading(served, project), reading(served, project), reading(served, project):
        url = f"{served.url}/api/projects/{project}/stream"
        refused = httpx.get(url, trust_env=False)
        assert (refused.status_code, refused.json()["code"]) == (503, "too-many-watchers")
        assert refused.headers["Retry-After"] == "5"
        page = httpx.get(url, headers={"Accept": "application/json"}, trust_env=False)
        assert page.json() == {"rows": [], "head": 0, "upto": 0}
        assert httpx.head(url, trust_env=False).status_code == 503


def test_who_hangs_up_frees_the_place_within_seconds(served, project):
    with reading(served, project), reading(served, project), reading(served, project):
        assert watchers(served) == PLACES
    wait_for(lambda: watchers(served) == 0, 10)


def test_asking_for_the_headers_alone_takes_no_place(served, project):
    assert httpx.head(f"{served.url}/api/projects/{project}/stream", trust_env=False).status_code == 200
    assert watchers(served) == 0


@pytest.mark.slow
def test_a_server_that_is_told_to_stop_stops_although_somebody_watches(tmp_path):
    with serve_app("waitress", tmp_path) as served, reading(served, "p") as reader:
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(10) == 0
        assert reader.ended.wait(10)


class Away(SqliteStore):
    away = True

    def wait(self, *asked):
        if self.away:
            raise StoreUnavailable
        return super().wait(*asked)


def test_a_store_that_cannot_be_waited_for_is_asked_once_and_again_when_somebody_comes(tmp_path):
    with closing(Away(tmp_path / "stream.db")) as store:
        watchers = Watchers(store, 3)
        for watch in (watchers.enter("p"), watchers.enter("p")):  # neither leaves
            with pytest.raises(StoreUnavailable):
                watch.wait(0, 30)
        wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name == "heads p"], 10)
        store.away = False
        store.start_run("p", "a", "r", STARTED)
        watchers.enter("p").wait(0, 30)
        watchers.close()
