"""Looks at all bots, every few milliseconds and through every restart: has each of them a working key?"""

import threading
from collections import Counter
from types import TracebackType
from typing import Self

from django.db import Error, connection

PAUSE = 0.02  # seconds between two looks

# One statement, so that each look is one moment of the database. The mails are part of it: as many as there
# are keys that replaced another one, never more, never less.
_QUESTION = """
SELECT
    (SELECT count(*) FROM apikeys_bot bot WHERE 1 <> (
        SELECT count(*) FROM apikeys_apikey one
        WHERE one.bot_id = bot.id AND one.status = 'active' AND one.sealed IS NOT NULL)),
    (SELECT count(*) FROM notifications_mail WHERE kind = 'api_refresh')
    - (SELECT count(*) FROM apikeys_apikey two WHERE two.status = 'active' AND two.replaces_id IS NOT NULL)
"""


class Watch:
    """`with Watch() as watch: …`; `wrong` and `counts` afterwards."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watch")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._stop.wait(PAUSE):
            try:
                self._look()
            except Error:  # the database is away, and so is everybody's view of it
                self.counts["looks at all bots while the database was away"] += 1
                connection.close()
            except BaseException as error:
                self.wrong.add(f"the watch ended: {error!r}")
                raise
        connection.close()

    def _look(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_QUESTION)
            without, mails_too_many = cursor.fetchone()
        self.counts["looks at all bots"] += 1
        if without:
            self.wrong.add(f"{without} bots without one working key")
        if mails_too_many:
            self.wrong.add(f"{mails_too_many} mails about keys that are not active, or the other way round")
