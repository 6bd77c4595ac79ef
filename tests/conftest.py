"""Fixtures that several test files share."""

import pytest

from briefworks.stores.sqlite import SqliteStore

pytest.register_assert_rewrite("store_contract", "store_machine")


@pytest.fixture
def store_factory(tmp_path):
    """Opens the test's one store; called again, another handle on the same file, as another process has."""
    opened = []

    def open_store(**options):
        opened.append(SqliteStore(tmp_path / "data" / "stream.db", **options))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(store_factory):
    return store_factory()
