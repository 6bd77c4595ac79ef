"""One Python session for a document's blocks: each line in is a block as JSON, each line out how it went."""

import contextlib
import io
import json
import sys
import traceback

names = {"__name__": "__main__"}
for line in sys.stdin:
    said, failed = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(json.loads(line), "<block>", "exec"), names)
    except BaseException:
        failed = traceback.format_exc()
    sys.stdout.write(json.dumps({"failed": failed, "output": said.getvalue()}) + "\n")
    sys.stdout.flush()
