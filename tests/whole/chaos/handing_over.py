"""Hands the planned keys over, at an even pace, as customers do: who gets no answer sends the key again."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import Error, connection

from apikeys.flows import submit
from apikeys.models import ApiKey
from tests.conftest import signed_in
from tests.whole.chaos.crowd import Planned
from tests.whole.visitor import Visitor

AT_ONCE = 3  # customers who send in the same moment
BY_BROWSER = 8  # every how manieth key goes through the web process
AGAIN_AFTER = 0.3  # seconds
PATIENCE = 60.0


@dataclass
class HandingOver:
    """keys: the row that each planned key became, by the plan's place."""

    planned: Sequence[Planned]
    rate: float  # keys a second
    url: str
    keys: dict[int, UUID] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Raises what went wrong in a thread."""
        self._began = time.monotonic()
        self._visitors = self._browsers()
        self._failed: list[BaseException] = []
        threads = [
            threading.Thread(target=self._every, args=(first,), name=f"customer-{first}")
            for first in range(AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _browsers(self) -> dict[int, Visitor]:
        """Signed in, one for each customer."""
        people = {each.bot.customer_id: each.bot.customer for each in self.planned}
        return {
            pk: Visitor(self.url, {"session": signed_in(person).cookies["session"].value})
            for pk, person in people.items()
        }

    def _every(self, first: int) -> None:
        try:
            for place in range(first, len(self.planned), AT_ONCE):
                time.sleep(max(0.0, self._began + place / self.rate - time.monotonic()))
                self.keys[place] = self._until_taken(place)
        except BaseException as error:
            self._failed.append(error)
        finally:
            connection.close()

    def _until_taken(self, place: int) -> UUID:
        by_browser = place % BY_BROWSER == 0
        send = self._by_browser if by_browser else self._by_flow
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                found = send(self.planned[place])
            except (Error, OSError) as error:
                self.counts["sent again"] += 1
                connection.close()
                if time.monotonic() > give_up:
                    raise TimeoutError("A key could not be handed over.") from error
                time.sleep(AGAIN_AFTER)
                continue
            self.counts["handed over in a browser" if by_browser else "handed over"] += 1
            return found

    def _by_flow(self, each: Planned) -> UUID:
        key: ApiKey = submit.submit(
            bot=each.bot,
            customer=each.bot.customer,
            credentials=each.credentials,
            trimmed=False,
            replaces=None,
            address="192.0.2.44",
        )
        return key.pk

    def _by_browser(self, each: Planned) -> UUID:
        visitor = self._visitors[each.bot.customer_id]
        path = f"/bots/{each.bot.pk}/key/"
        if visitor.get(path).status != 200:
            raise ConnectionError
        answer = visitor.post(path, {"api_key": each.new.api_key, "secret": each.new.secret})
        if answer.status >= 500:
            raise ConnectionError
        assert answer.location.startswith("/keys/"), (answer.status, answer.location)
        return UUID(answer.location.split("/")[2])
