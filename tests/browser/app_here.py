"""The app in this process, with a store that a test writes into; its engine and upstreams are away."""

import threading

from werkzeug.serving import make_server

from served import app_and_store


class AppHere:
    """The app with a store of its own, in this process."""

    def __init__(self, folder, **settings):
        app, self.store = app_and_store(folder, **settings)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def article(self, article, project="p"):
        return f"{self.url}/projects/{project}/articles/{article}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.store.close()
