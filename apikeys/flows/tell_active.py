"""Writes down and mails what a later check changed about an active key. Within the transaction of `recheck`.

One mail for each problem: it is owed from when the problem begins, and written once. The same problem again
within a day of its last mail is shown on the page and mailed only if it is still there when the day is over,
so a key that goes to and fro sends one mail a day and not one an hour. A right to move money is mailed each
time it appears: that mail carries the date at which the key is revoked, and a date that nobody was told of
must not count.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db.models import QuerySet

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import attention
from apikeys.events import about_key
from apikeys.findings import FindingCode
from apikeys.letters import facts
from apikeys.models import ApiKey
from notifications import outbox
from notifications.facts import Fact
from notifications.kinds import MailKind
from notifications.models import Mail


@dataclass(frozen=True, slots=True)
class Before:
    """What of a key is compared with how it stands now."""

    problem: str
    revoke_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(key.problem, key.revoke_at)


def tell(key: ApiKey, before: Before, now: datetime) -> None:
    """Under the lock of the bot. The key stands as it will be saved; `problem_mailed_at` is set by a mail."""
    if key.problem:
        _tell_problem(key, before, now)
    elif before.problem:
        _tell_recovery(key, before, now)


def _tell_problem(key: ApiKey, before: Before, now: datetime) -> None:
    widened = key.revoke_at is not None and before.revoke_at is None
    if key.revoke_at is not None and widened:
        moment = attention.moment_in_words(key.revoke_at)
        audit.record_many([about_key(Verb.KEY_WIDENED, key, at=now, moment=moment)])
    elif key.problem != before.problem:
        words = attention.problem_in_words(key.problem)
        audit.record_many([about_key(Verb.KEY_PROBLEM, key, at=now, problem=words)])
    if key.problem_mailed_at is not None:
        return
    freed = before.revoke_at is not None and key.revoke_at is None
    if widened or freed or not _was_mailed_lately(key, now):
        _send_problem(key, freed=freed)
        key.problem_mailed_at = now


def _send_problem(key: ApiKey, *, freed: bool) -> None:
    to_come = attention.what_is_to_come(key)
    moves_money = key.problem == FindingCode.FORBIDDEN_PERMISSION
    _send(
        MailKind.API_WIDENED if moves_money else MailKind.API_PROBLEM,
        key,
        cause=f"{_problem_cause(key, key.problem)}{key.problem_since}",
        problem=attention.problem_in_words(key.problem),
        works=attention.what_works(key),
        to_come=to_come,
        mend=attention.how_to_mend(key),
        findings=attention.wanting(key),
        freed=freed,
    )


def _tell_recovery(key: ApiKey, before: Before, now: datetime) -> None:
    audit.record_many([about_key(Verb.KEY_RECOVERED, key, at=now)])
    told = _mails(_problem_cause(key)).order_by("-created_at").values_list("pk", flat=True).first()
    if told is not None:
        # Named after the mail that it takes back, so there is at most one for each.
        _send(MailKind.API_IN_ORDER, key, cause=f"api_in_order:{told}", freed=before.revoke_at is not None)


def _was_mailed_lately(key: ApiKey, now: datetime) -> bool:
    since = now - settings.SAME_PROBLEM_AGAIN
    return _mails(_problem_cause(key, key.problem)).filter(created_at__gt=since).exists()


def _problem_cause(key: ApiKey, code: str = "") -> str:
    return f"api_problem:{key.pk}:{code}:" if code else f"api_problem:{key.pk}:"


def _mails(cause: str) -> QuerySet[Mail]:
    return Mail.objects.filter(cause__startswith=cause)


def tell_disconnected(key: ApiKey) -> None:
    """The key was revoked for the right that it kept."""
    waiting = ApiKey.objects.filter(bot=key.bot).waiting().values_list("last_four", flat=True).first()
    works = "This bot has no active key, so it does not trade until one is accepted."
    if waiting:
        works = f"Your bot trades again once your new key ending …{waiting} is active."
    _send(
        MailKind.API_DISCONNECTED,
        key,
        cause=f"api_disconnected:{key.pk}",
        reason=attention.why_disconnected(key),
        works=works,
        waiting_last_four=waiting or "",
    )


def _send(kind: MailKind, key: ApiKey, *, cause: str, **more: Fact) -> None:
    customer = key.bot.customer
    context = facts(key.bot) | {"last_four": key.last_four} | more
    outbox.send(kind, owner_id=customer.pk, to=customer.email, cause=cause, context=context)
