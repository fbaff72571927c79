"""Looks at a bot again and again while its processes are killed: has it a working key at every moment?"""

import threading
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import connection

from apikeys import vault
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from notifications.models import Mail


class Watch:
    """`with Watch(bot) as watch: …`, then `watch.check()`.

    One statement reads all keys of the bot, so that each sample is one moment of the database.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._wrong: set[str] = set()
        self._opened: dict[tuple[UUID, bytes], str] = {}
        self._samples = 0
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

    def check(self) -> None:
        """End, and tell what was wrong at any moment. More than one key was in use, one after the other."""
        self.__exit__(None, None, None)
        assert not self._wrong
        assert self._samples > 10
        assert len({pk for pk, _ in self._opened}) == 2, "the old key and the new one were both seen working"

    def _look_on(self) -> None:
        try:
            while not self._stop.is_set():
                self._look()
                self._stop.wait(0.005)
        except Exception as error:
            self._wrong.add(f"the watch ended: {error!r}")
            raise
        finally:
            connection.close()

    def _look(self) -> None:
        # The mail is read first: one that is there tells of a key that is active by now.
        told = list(Mail.objects.filter(kind="api_refresh").values_list("cause", flat=True))
        keys = list(ApiKey.objects.filter(bot=self._bot).values_list("pk", "status", "sealed", "seal_id"))
        active = [(pk, sealed, seal_id) for pk, status, sealed, seal_id in keys if status == KeyStatus.ACTIVE]
        self._samples += 1
        if len(active) != 1:
            self._wrong.add(f"{len(active)} active keys")
            return
        pk, sealed, seal_id = active[0]
        if sealed is None:
            self._wrong.add("an active key without a secret")
            return
        if any(cause != f"api_refresh:{pk}" for cause in told):
            self._wrong.add("a mail about a key that is not active")
        if (pk, bytes(sealed)) not in self._opened:
            self._opened[pk, bytes(sealed)] = vault.open_sealed(
                bytes(sealed), seal_id, key_id=pk, bot_id=self._bot.bot_id, exchange=self._bot.exchange
            ).api_key
