"""Leave an article while it is written, and come back: nothing is lost, nothing comes twice."""

import os
from itertools import islice

from briefworks import ArticleRequest, Client

url, key = os.environ.get("BRIEFWORKS_URL", "http://127.0.0.1:8000"), os.environ.get("BRIEFWORKS_API_KEY")
request = ArticleRequest(project_id="acme", keyword="standing desks", target_words=900)

with Client(url, api_key=key) as client:
    article_id = client.request_article(request).article_id
    seen = [row["seq"] for row in islice(client.follow("acme", article_id=article_id), 5)]
    print(f"Saw {len(seen)} rows of {article_id} up to {seen[-1]}, and left.")

# Minutes or days later, in another process: two numbers and a name are all that had to be kept.
with Client(url, api_key=key) as client:
    later = [row["seq"] for row in client.follow("acme", after=seen[-1], article_id=article_id)]
    print(f"Then {len(later)} more, from {later[0]} to {later[-1]}; in order: {later == sorted(later)}.")
    article = client.article("acme", article_id)
    print(f"It is {article['status']}: {article['polished']['title']}")
