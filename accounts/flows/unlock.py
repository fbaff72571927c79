"""A person whom the limits of `accounts.limits` keep out is let try again.

An unlock gives one more round of tries, once an hour. What was asked for before ends, so that whoever used
the tries up is left with nothing, and a guesser gains little by a call to support: for each unlock at most 50
chances in a million by codes, and 30 by a second factor.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts import audit, browsers, limits
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.devices import TypedFactor
from accounts.identifiers import folded
from accounts.limits import Limit
from accounts.models import (
    AuditEvent,
    AuthenticatorApp,
    CodeAttempt,
    KnownBrowser,
    MailedCode,
    Purpose,
    RecoveryCodes,
    User,
)
from notifications import outbox

PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tries:
    """What counts against a person at this moment.

    codes: mailed in the last quarter of an hour, for every purpose and from everywhere.
    wrong: (words of a second factor, wrong tries, until when it takes none) where there were wrong tries.
    """

    codes: int
    wrong: list[tuple[str, int, datetime | None]]


def tries_of(person: User, now: datetime) -> Tries:
    recent = MailedCode.objects.filter(
        attempt__user=person, requested_at__gt=now - limits.CODES_WINDOW
    ).exclude(attempt__purpose=Purpose.STAFF_START)
    wrong = [(one.words, one.wrong_tries, one.again_at(now)) for one in _factors(person) if one.wrong_tries]
    return Tries(recent.count(), wrong)


def again_at(person: User, now: datetime) -> datetime | None:
    """When the person can be unlocked, where the last time is less than an hour ago."""
    last = AuditEvent.objects.filter(customer=person, verb=Verb.UNLOCKED).order_by("-id").first()
    return last.at + PAUSE if last and last.at + PAUSE > now else None


@transaction.atomic
def unlock(*, person: User, by: By) -> None:
    """Raises NotPossibleError: within an hour of the last time, for a closed account, for oneself."""
    if person.pk == by.actor.pk:
        raise NotPossibleError("Nobody lifts their own limits. Ask somebody else.")
    attempts = CodeAttempt.objects.filter(user=person).exclude(purpose=Purpose.STAFF_START)
    list(attempts.select_for_update().values_list("pk"))  # before the person, as everywhere
    user = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not user.is_active:
        raise NotPossibleError("This account is closed.")
    now = timezone.now()
    if until := again_at(user, now):
        raise NotPossibleError(
            f"Limits were lifted less than an hour ago. They can be again at {until:%H:%M} UTC."
        )
    outbox.give_up(MailedCode.objects.filter(attempt__in=attempts, mail__isnull=False).values("mail"))
    attempts.delete()
    for factor in _factors(user, locked=True):
        factor.wrong_tries, factor.wrong_since = 0, None
        factor.save(update_fields=["wrong_tries", "wrong_since"])
    transaction.on_commit(partial(limits.forget, *_passwords(user)))
    audit.record(Verb.UNLOCKED, customer=user, actor=by.actor, address=by.address, reason=by.reason)


def _factors(person: User, *, locked: bool = False) -> Iterable[TypedFactor]:
    for model in (AuthenticatorApp, RecoveryCodes):
        rows = model.objects.filter(user=person)
        yield from rows.select_for_update() if locked else rows


def _passwords(user: User) -> list[tuple[Limit, str]]:
    """In browsers that the person has signed in with. A stranger's tries elsewhere stay counted."""
    digests = KnownBrowser.objects.filter(user=user).values_list("digest", flat=True)
    return [limits.passwords(folded(user.email), browsers.known_origin(digest)) for digest in digests]
