"""Ask for an article with nothing but the Inngest SDK: `python examples/send_event.py "standing desks"`."""

import os
import sys

import inngest

os.environ.setdefault("INNGEST_DEV", "http://127.0.0.1:8288")  # `briefworks dev` listens there
client = inngest.Inngest(app_id="my-app", is_production=False)

project, article = "acme", "from-an-event"
client.send_sync(
    inngest.Event(
        name="article.requested",
        id=f"{project}/{article}",  # sent twice, it still asks once
        data={
            "projectId": project,
            "articleId": article,
            "keyword": " ".join(sys.argv[1:]) or "standing desks",
        },
    )
)
print(f"Asked. Follow it at http://127.0.0.1:8000/api/projects/{project}/stream?article={article}")
