"""A process that writes to a SQLite store: `store_writer.py FILE STEP COUNT`; prints each head it is told."""

import sys
from pathlib import Path

from briefworks.stores.sqlite import SqliteStore
from store_rows import token

path, step, count = sys.argv[1:]
store = SqliteStore(Path(path))
take = store.open_take("p", "a", "r1", step, step)["take"]
for i in range(0, int(count), 2):
    head = store.append("p", "a", step, take, i, [token(f"{step} {i}"), token(f"{step} {i + 1}")])
    sys.stdout.write(f"{head}\n")
    sys.stdout.flush()
store.close()
