"""Watchers: a limited number of places, and one thread for each watched project that waits for its rows."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog

from briefworks.errors import StoreUnavailable, TooManyWatchers
from briefworks.stream import Store

log = structlog.get_logger("briefworks.web")
LOOK_S = 1.0  # how long the store is asked to wait at once; also how long a thread outlives its last watcher


@dataclass
class _Project:
    head: int = -1
    watchers: int = 0
    failed: bool = False  # its thread has ended; whoever comes next gets another


class Watchers:
    """
    Those who hold an answer open, at most `most` of them: each costs a thread of the server.

    The store is asked by one thread for each project, however many watch it: a SQLite file is polled, and
    forty threads that poll take the time of those who write.
    """

    def __init__(self, store: Store, most: int) -> None:
        self._store, self._most = store, most
        self._projects: dict[str, _Project] = {}
        self._changed = threading.Condition()  # guards all of these
        self.count = 0
        self.closed = False

    def enter(self, project_id: str) -> Watch:
        """A place; raises `TooManyWatchers` when there is none."""
        with self._changed:
            if self.closed or self.count >= self._most:
                raise TooManyWatchers
            self.count += 1
            project = self._projects.get(project_id)
            if project is None:
                project = self._projects[project_id] = _Project()
                args = (project_id, project)
                threading.Thread(
                    target=self._look, args=args, name=f"heads {project_id}", daemon=True
                ).start()
            project.watchers += 1
        return Watch(self, project)

    def close(self) -> None:
        """End every answer that is held open, and let nobody in."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def leave(self, project: _Project) -> None:
        with self._changed:
            self.count -= 1
            project.watchers -= 1

    def wait(self, project: _Project, after: int, timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.closed or project.failed or project.head > after, timeout_s)
            if project.failed:
                raise StoreUnavailable

    def _look(self, project_id: str, project: _Project) -> None:
        over = False
        while not over:
            try:
                head, failed = self._store.wait(project_id, max(project.head, 0), LOOK_S), False
            except Exception as error:  # whatever it is, those who watch must hear of it
                log.warning("the store cannot be waited for", project_id=project_id, reason=str(error))
                head, failed = project.head, True
            with self._changed:
                if over := failed or self.closed or project.watchers == 0:
                    del self._projects[project_id]
                if failed or head != project.head:
                    project.head, project.failed = head, failed
                    self._changed.notify_all()


class Watch:
    """One place, for one project."""

    def __init__(self, watchers: Watchers, project: _Project) -> None:
        self._watchers, self._project = watchers, project
        self._left = False

    @property
    def over(self) -> bool:
        """The server stops."""
        return self._watchers.closed

    def wait(self, after: int, timeout_s: float) -> None:
        """Block until there are rows beyond `after`, the time is over or the server stops."""
        self._watchers.wait(self._project, after, timeout_s)

    def leave(self) -> None:
        """Give the place back; once is enough."""
        if not self._left:
            self._left = True
            self._watchers.leave(self._project)
