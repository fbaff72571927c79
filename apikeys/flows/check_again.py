"""Support has the exchange asked about a key now, and not only when it is due."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from apikeys import transitions
from apikeys.events import about_key
from apikeys.findings import FindingCode
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications.bell import ring_on_commit


def why_not(key: ApiKey, now: datetime) -> str:
    """A sentence for the desk, or nothing where the key can be checked again."""
    name = key.adapter.name
    if key.status == KeyStatus.REFUSED:
        said = {item.code for item in key.findings}
        first = "This key was refused."
        if FindingCode.EXCHANGE_UNAVAILABLE in said:
            first = f"{name} could not be asked for 24 hours, so this key was refused."
        return f"{first} Its secret is wiped: the customer hands it over again, or another one."
    if key.status == KeyStatus.READY:
        return "This key has passed its check. It waits for the trading engine."
    if key.status not in (KeyStatus.CHECKING, KeyStatus.ACTIVE):
        return f"This key has ended: {key.get_status_display().lower()}. Its secret is wiped."
    if key.claimed_until and key.claimed_until > now and not key.leased:
        return _asked_now(key)
    return ""


def is_in_a_list(key: ApiKey, now: datetime) -> bool:
    """Whether a sweep has leased the key and no worker has taken its list up yet."""
    return key.leased and key.claimed_until is not None and key.claimed_until > now


def _asked_now(key: ApiKey) -> str:
    return f"{key.adapter.name} is being asked about this key at this very moment."


@transaction.atomic
def check_again(*, key_id: UUID, by: By) -> None:
    """At once. Raises NotPossibleError, also where the key has changed since the page was opened."""
    now = timezone.now()
    key = _asked_for(key_id, by, now)
    if not _make_due(key, now):
        raise NotPossibleError(_asked_now(key))
    _record(key, by, now)
    ring_on_commit("apikeys.check_key", str(key.pk))


@transaction.atomic
def check_in_turn(*, key_id: UUID, by: By) -> None:
    """One of many. Nobody rings: a key in use comes with the next list of a sweep, and the schedule rings for
    a new one within seconds, for no more at once than lets a person's new key come through.

    Raises NotPossibleError as `check_again` does.
    """
    now = timezone.now()
    key = _asked_for(key_id, by, now)
    # What is overdue keeps its place before others, and what is in a list is checked with it.
    ApiKey.objects.filter(pk=key.pk).filter(Q(check_due_at=None) | Q(check_due_at__gt=now)).update(
        check_due_at=now
    )
    _record(key, by, now)


def _asked_for(key_id: UUID, by: By, now: datetime) -> ApiKey:
    bot_pk = ApiKey.objects.filter(pk=key_id).values_list("bot_id", flat=True).get()
    transitions.lock_bot(bot_pk)
    key = ApiKey.objects.select_related("bot__customer").defer("sealed").get(pk=key_id)
    if reason := why_not(key, now):
        raise NotPossibleError(reason)
    if by.seen not in ("", key.status):
        raise NotPossibleError(f"This key has changed meanwhile: {key.get_status_display().lower()}.")
    return key


def _record(key: ApiKey, by: By, now: datetime) -> None:
    audit.record_many(
        [
            about_key(
                Verb.KEY_CHECK_ASKED,
                key,
                at=now,
                actor=by.actor,
                address=by.address,
                reason=by.reason,
            )
        ]
    )


def _make_due(key: ApiKey, now: datetime) -> bool:
    """Also for a key in a list: it is taken out, so whoever takes the list up finds that its claim is gone.

    False: a worker has taken the key up since `key` was read. The pauses between tries go on growing from
    where they were: how long it has failed is not forgotten.
    """
    as_read = ApiKey.objects.filter(pk=key.pk, claim=key.claim, leased=key.leased)
    if is_in_a_list(key, now):
        return bool(as_read.update(check_due_at=now, claim=None, claimed_until=None, leased=False))
    return bool(as_read.update(check_due_at=now))
