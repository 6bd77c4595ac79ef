"""A Flask app of one's own with briefworks in it: `briefworks dev --app examples/own_app.py`."""

import flask

import briefworks.web

app = flask.Flask(__name__)


@app.get("/")
def home() -> flask.Response:
    return flask.send_file("watch.html")


briefworks.web.mount(app)
