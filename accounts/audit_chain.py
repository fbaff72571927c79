"""A keyed chain over the audit events, made afterwards by a worker, so that no request waits for another.

An event gets its id before its transaction commits, so a lower id can become visible after a higher one.
The chain therefore counts by itself: each link holds its own number, an event's id, the digest of that
event's content, and a mac under AUDIT_KEY over all this and the mac before. Who lacks the key can change
nothing that is linked without breaking it; what was linked last is written to the log, where a chain that
was cut off shows.
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import AppendOnlyQuerySet, AuditEvent, AuditLink

logger = logging.getLogger(__name__)

# Every field of an event is under the digest. The first entry names this form, for a later one beside it.
FORM = "audit-event/1"
FIELDS = (
    "id",
    "at",
    "verb",
    "actor_kind",
    "actor_id",
    "customer_id",
    "key_id",
    "bot_id",
    "address",
    "detail",
)
# No transaction of ours lives so long. An event that shows up behind one that was linked this long before is
# none of them: it is left unlinked, and `breaks` tells of it.
LATEST = timedelta(hours=1)
# Linking in one transaction. On SQLite all writers wait for it; this takes some twenty milliseconds.
_AT_ONCE = 500
_LOCK = 0x5E90_E1CE  # of PostgreSQL, for this purpose alone
_HEAD = re.compile(r"([1-9][0-9]{0,17}):((?:[0-9a-f]{8}-){7}[0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Head:
    """Number and mac of a link, written `12:0a1b2c3d-…`. The hyphens keep it from looking like a secret."""

    number: int
    mac: str

    @classmethod
    def of(cls, link: AuditLink) -> Self:
        return cls(link.number, link.mac)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no head."""
        found = _HEAD.fullmatch(text)
        if found is None:
            raise ValueError
        return cls(int(found[1]), found[2].replace("-", ""))

    def __str__(self) -> str:
        return f"{self.number}:{'-'.join(self.mac[at : at + 8] for at in range(0, 64, 8))}"


def link_committed() -> Head | None:
    """Link every event that is committed and not linked yet. None where there was nothing to link."""
    head = None
    while links := _link_some():
        head = Head.of(links[-1])
        logger.info("Audit chain head %s", head)
        if len(links) < _AT_ONCE:
            break
    return head


def breaks(heads: Iterable[Head] = ()) -> Iterator[str]:
    """Walk the whole chain and give a sentence for each thing that is wrong with it.

    heads: what was logged. Without any, links and events that were cut off at the end cannot be seen.
    """
    logged: dict[int, set[str]] = {}
    for head in heads:
        logged.setdefault(head.number, set()).add(head.mac)
    before = AuditLink(number=0, mac="")
    for link, event in _pairs():
        yield from _wrong_with(link, event, before)
        if logged.pop(link.number, {link.mac}) != {link.mac}:
            yield f"Link {link.number} is not the one that was logged."
        before = link
    for number in sorted(logged):
        yield f"Link {number} was logged and is gone: the chain ends with link {before.number}."
    for event in _unlinked(upto=_settled()).iterator():
        yield f"Event {event.pk} was put in afterwards: later ones were linked long before it appeared."


def waiting() -> int:
    """How many events are still to be linked."""
    return _unlinked(after=_settled()).count()


@transaction.atomic
def _link_some() -> list[AuditLink]:
    if not _alone():
        return []
    now = timezone.now()
    before = AuditLink.objects.order_by("-number").first() or AuditLink(number=0, mac="")
    links = []
    for event in _unlinked(after=_settled()).order_by("pk")[:_AT_ONCE]:
        link = AuditLink(
            number=before.number + 1, event_id=event.pk, digest=_digest(event), linked_at=now, mac=""
        )
        link.mac = _mac(link, before.mac)
        links.append(link)
        before = link
    AuditLink.objects.bulk_create(links)
    return links


def _alone() -> bool:
    """One worker links at a time. On SQLite a transaction that writes is alone already."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _settled() -> int:
    """The id up to which no event can still become visible. Counted from the newest link and not from now:
    after a time without a worker, events of that time are still to come.
    """
    newest = AuditLink.objects.order_by("-linked_at").first()
    if newest is None:
        return 0
    old = AuditLink.objects.filter(linked_at__lt=newest.linked_at - LATEST).order_by("-linked_at", "-number")
    return old.values_list("event_id", flat=True).first() or 0


def _unlinked(*, after: int = 0, upto: int | None = None) -> AppendOnlyQuerySet:
    links = AuditLink.objects.filter(event_id=OuterRef("pk"))
    events = AuditEvent.objects.filter(~Exists(links), pk__gt=after)
    return events if upto is None else events.filter(pk__lte=upto)


def _pairs() -> Iterator[tuple[AuditLink, AuditEvent | None]]:
    """Each link in its order, with its event if that is there."""
    after = 0
    while links := list(AuditLink.objects.filter(number__gt=after).order_by("number")[:_AT_ONCE]):
        events = AuditEvent.objects.in_bulk([link.event_id for link in links])
        for link in links:
            yield link, events.get(link.event_id)
        after = links[-1].number


def _wrong_with(link: AuditLink, event: AuditEvent | None, before: AuditLink) -> Iterator[str]:
    if link.number != before.number + 1:
        yield f"Links {before.number + 1} to {link.number - 1} are gone."
    elif not hmac.compare_digest(link.mac, _mac(link, before.mac)):
        yield f"Link {link.number} does not follow from the one before: changed, moved or put in."
    if event is None:
        yield f"Event {link.event_id} of link {link.number} is gone."
    elif _digest(event) != link.digest:
        yield f"Event {link.event_id} of link {link.number} is not what it was when it was linked."


def _digest(event: AuditEvent) -> str:
    return hashlib.sha256(_json([FORM, *(getattr(event, name) for name in FIELDS)])).hexdigest()


def _mac(link: AuditLink, before: str) -> str:
    content = _json([link.number, link.event_id, link.digest, link.linked_at, before])
    return hmac.new(settings.AUDIT_KEY.encode(), content, hashlib.sha256).hexdigest()


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_text).encode()


def _text(value: object) -> str:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)
