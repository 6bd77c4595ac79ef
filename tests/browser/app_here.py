"""The app in this process, with a store that a test writes into; its engine and upstreams are away."""

import threading

from werkzeug.serving import make_server

from briefworks.settings import Settings
from briefworks.web import create_app
from briefworks.web.parts import build_parts


class AppHere:
    """The app with a store of its own, in this process."""

    def __init__(self, folder, **settings):
        chosen = Settings.load(
            _env_file=None,
            anthropic_base_url="http://127.0.0.1:9",
            searxng_url="http://127.0.0.1:9",
            inngest_dev="http://127.0.0.1:9",  # nothing listens there
            data_dir=folder,
            **settings,
        )
        parts = build_parts(chosen)
        self.store = parts.store
        self.server = make_server("127.0.0.1", 0, create_app(chosen, parts), threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def article(self, article, project="p"):
        return f"{self.url}/projects/{project}/articles/{article}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.store.close()
