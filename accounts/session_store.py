"""Sessions in the database, with the columns that `accounts.sessions` lists and ends them by.

Every process of the portal is synchronous, so the asynchronous half of Django's store is left as it is.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.session_models import Session

# What `accounts.sessions` keeps under "facts", and the column that each becomes.
FACTS = "facts"
_TIMES = ("signed_in_at", "seen_at")


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Whose session it is goes into the row that is written anyway, so it costs no statement."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.session_key = Session.digest_of(row.session_key)
        if SESSION_KEY in data:
            facts = data.get(FACTS, {})
            row.user_id = int(data[SESSION_KEY])
            row.browser_id = facts.get("browser")
            row.device = facts.get("device", "")
            row.address = facts.get("address")
            for name in _TIMES:
                setattr(row, name, datetime.fromisoformat(data[name]) if name in data else None)
        return row

    def load(self) -> dict[str, Any]:
        key = Session.digest_of(self.session_key or "")
        row = Session.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        return super().exists(Session.digest_of(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=Session.digest_of(key)).delete()

    def cycle_key(self) -> None:
        """The new row is written once, with the answer. Django would write an empty one here as well."""
        self.keys()  # what it holds is kept, so it is read before its row goes
        self.delete()
        self._session_key = None
        self.modified = True

    def _get_new_session_key(self) -> str:
        """165 random bits need no look whether they are taken; if they were, the insert would say so."""
        return get_random_string(32, VALID_KEY_CHARS)
