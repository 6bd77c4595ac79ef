"""The same article machine against servers that are not the demo upstream: only addresses differ."""

import re

import pytest

from local import Local
from other_servers import Other


@pytest.fixture
def model():
    server = Other()
    yield server
    server.close()


@pytest.fixture
def web():
    server = Other()
    yield server
    server.close()


@pytest.mark.slow
def test_an_article_from_other_servers(tmp_path, model, web):
    host = web.url.partition("://")[2]
    local = Local(
        tmp_path, model.url, SEARXNG_URL=web.url, BRIEFWORKS_ALLOW_HOSTS=host, BRIEFWORKS_MODEL="tiny-7b"
    )
    try:
        assert local.ask().status_code == 202
        rows = local.wait_end()
        assert rows[-1]["event"] == "polish-done", rows[-1]["data"]
        article, research = rows[-1]["data"], local.state()["research"]
        fetched = {page["url"] for page in research["pages"] if page["snapshot_id"]}
        assert fetched == {f"{web.url}/guide/{n}" for n in range(1, 5)}
        listed = dict(re.findall(r"^(\d+)\. \[.*?\]\((\S+?)\)", article["markdown"], re.MULTILINE))
        used = set(re.findall(r"\[(\d+)\](?!\()", article["markdown"].partition("## Sources")[0]))
        assert used and used == set(listed) and set(listed.values()) <= fetched
        names = {entity["name"] for entity in research["entities"]}
        assert {"Nordhaven", "Riga"} <= names and "Atlantis Board" not in names
        assert set(model.requests) == {"/v1/messages"}
        assert not any(path.startswith("/v1") for path in web.requests)
    finally:
        local.close()
