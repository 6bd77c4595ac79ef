"""Ask a running app for an article and watch it grow: `python examples/quickstart.py "standing desks"`."""

import os
import sys

from briefworks import ArticleRequest, Client

url = os.environ.get("BRIEFWORKS_URL", "http://127.0.0.1:8000")  # `briefworks dev` listens there
request = ArticleRequest(
    project_id="acme", keyword=" ".join(sys.argv[1:]) or "standing desks", target_words=900
)
with Client(url, api_key=os.environ.get("BRIEFWORKS_API_KEY")) as client:
    asked = client.request_article(request)
    print(f"Asked for article {asked.article_id}.")
    for row in client.follow("acme", article_id=asked.article_id):  # ends with the run
        print(f"{row['seq']:>5}  {row['step']:<20}  {row['event']}")
    print(client.markdown("acme", asked.article_id))
