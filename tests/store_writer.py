"""A process that writes to a store: `store_writer.py WHERE STEP COUNT`; prints each head it is told."""

import sys

from store_rows import token
from store_script import be_patient, open_store

be_patient()
where, step, count = sys.argv[1:]
store = open_store(where)
take = store.open_take("p", "a", "r1", step, step)["take"]
for i in range(0, int(count), 2):
    head = store.append("p", "a", step, take, i, [token(f"{step} {i}"), token(f"{step} {i + 1}")])
    sys.stdout.write(f"{head}\n")
    sys.stdout.flush()
store.close()
