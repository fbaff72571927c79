"""What the parts of a filling write into together."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from accounts.audit_verbs import Verb
from accounts.models import AddressChange, AuditEvent, MailboxHold, PrimaryMailDevice, User
from apikeys.models import ApiKey, Bot, BotRequest, Handover, KeyCheck
from demo.filling.bulk import Table, as_json, count_on
from notifications.facts import Facts, freeze
from notifications.kinds import MailKind
from notifications.models import Mail
from notifications.render import subject_of

_THE_BOT = "{bot}"


@dataclass(frozen=True, slots=True)
class Customer:
    pk: int
    client_id: str
    email: str
    address: str
    came_at: datetime


class Book:
    def __init__(self, *, now: datetime, staff: int, random: Random) -> None:
        self.now = now
        self.staff = staff  # who decided what support decides
        self.random = random
        self.users, self.bots = Table(User, numbered=True), Table(Bot, numbered=True)
        self.devices = Table(PrimaryMailDevice)
        self.holds, self.changes = Table(MailboxHold), Table(AddressChange)
        self.requests = Table(BotRequest, numbered=True)
        self.keys = Table(ApiKey, numbered=True)
        self.checks, self.handovers = Table(KeyCheck), Table(Handover)
        self.events = Table(AuditEvent, in_order_of="at")
        self.mails = Table(Mail, numbered=True)
        self._subjects: dict[tuple[MailKind, object, object], str] = {}
        self._there: set[str] = set()

    def is_first(self, what: str) -> bool:
        """True once for each: what is rare comes at least once, however little is filled."""
        first = what not in self._there
        self._there.add(what)
        return first

    def uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def event(self, verb: Verb, at: datetime, of: Customer, *, by: str = "system", **more: Any) -> None:
        """more: key_id, bot_id, and as detail the last four characters of a key and words of the verb."""
        last_four, words = more.pop("last_four", None), more.pop("words", {})
        self.events.add(
            at=at,
            verb=verb.value,
            actor_kind=by,
            actor_id={"customer": of.pk, "staff": self.staff}.get(by),
            customer_id=of.pk,
            address=of.address if by == "customer" else None,
            detail=as_json(({"last_four": last_four} if last_four else {}) | words),
            **more,
        )

    def mail(
        self,
        kind: MailKind,
        at: datetime,
        of: Customer,
        cause: str,
        facts: Facts | None,
        *,
        failed: bool = False,
    ) -> None:
        """One that was sent, or could not be; a young one may still wait. Without facts: a code."""
        kept = None if facts is None else freeze(facts)
        drawn = self.random.random()
        waits = not failed and kept is not None and drawn < 0.3 and (self.now - at).total_seconds() < 120
        failed = failed or (not waits and drawn > 0.992)
        self.mails.add(
            id=self.uuid(),
            kind=kind.value,
            owner_id=of.pk,
            to=of.email,
            cause=cause,
            subject=self._subject(kind, kept or {}),
            context=None if kept is None else as_json(kept),
            status=Mail.Status.FAILED if failed else Mail.Status.WAITING if waits else Mail.Status.ACCEPTED,
            created_at=at,
            due_at=at,
            tries=0 if waits else 9 if failed else 1,
            last_answer="550 SMTPRecipientsRefused" if failed else "",
            accepted_at=None if waits or failed else at,
        )

    def finish(self) -> None:
        """In an order in which each row finds what it points to."""
        for table in (self.users, self.devices, self.holds, self.changes, self.bots, self.keys):
            table.finish()
        self.requests.finish()
        for table in (self.checks, self.handovers, self.events, self.mails):
            table.finish()
        count_on((User, Bot))

    def _subject(self, kind: MailKind, kept: dict[str, Any]) -> str:
        """Rendered once for mails that differ in the bot alone: a template takes longer than all the rest."""
        key = (kind, kept.get("not_your_doing"), kept.get("subject_line"))
        if key not in self._subjects:
            self._subjects[key] = subject_of(kind, kept | {"bot_id": _THE_BOT})
        return self._subjects[key].replace(_THE_BOT, kept.get("bot_id", ""))
