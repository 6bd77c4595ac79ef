"""The SQLite store keeps the contract, and what a file on disk promises beyond it."""

from store_contract import StoreContract


class TestSqlite(StoreContract):
    """The contract, on a file."""
