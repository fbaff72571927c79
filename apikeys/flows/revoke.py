"""Live keys are ended before their time, and their secrets wiped."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.acts import By, NotPossibleError
from accounts.audit_verbs import Verb
from accounts.models import User
from apikeys import transitions
from apikeys.engine import offers
from apikeys.events import about_key
from apikeys.letters import facts
from apikeys.models import ApiKey, Bot
from apikeys.status import LIVE, WAITING, KeyStatus
from notifications import outbox
from notifications.kinds import MailKind
from notifications.outbox import Letter

# Rows locked and changed in one transaction: enough to be quick, few enough to let others through between.
_BATCH = 500


@transaction.atomic
def take_back(*, key: ApiKey, customer: User, address: str) -> bool:
    """The customer takes back a key that waits. False: it is decided already, and nothing was changed."""
    transitions.lock_bot(key.bot_id)
    key.refresh_from_db(fields=["status"])
    if key.status not in WAITING:
        return False
    revoke(key=key, actor=customer, address=address, now=timezone.now())
    return True


def revoke(*, key: ApiKey, actor: User | None, address: str | None, now: datetime) -> None:
    """Within the caller's transaction, under the lock of the bot. Nobody is mailed."""
    _end([key], now=now, actor=actor, address=address)


@transaction.atomic
def revoke_one(*, key_id: UUID, by: By) -> None:
    """Support ends a key, and its customer is mailed. Raises NotPossibleError, also where it has changed."""
    bot_pk = ApiKey.objects.filter(pk=key_id).values_list("bot_id", flat=True).get()
    transitions.lock_bot(bot_pk)
    key = ApiKey.objects.select_related("bot__customer").defer("sealed").get(pk=key_id)
    if key.status not in LIVE:
        raise NotPossibleError(f"This key has ended already: {key.get_status_display().lower()}.")
    if by.seen not in ("", key.status):
        raise NotPossibleError(f"This key has changed meanwhile: {key.get_status_display().lower()}.")
    _end_and_tell([key], now=timezone.now(), by=by)


def shown(keys: Iterable[ApiKey]) -> str:
    """What a page showed of these keys, for `By.seen`: which ones, each in which state, in any order."""
    lines = sorted(f"{key.pk} {key.status}" for key in keys)
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


@transaction.atomic
def revoke_of_customer(*, customer: User, by: By) -> int:
    """Support ends every live key of a customer; says how many. Raises NotPossibleError where there is none.

    by.seen: of the page, from `shown`.
    """
    bots = list(Bot.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True))
    transitions.lock_bots(bots)
    keys = _live(bots)
    if not keys:
        raise NotPossibleError("No key of this customer is live.")
    if by.seen not in ("", shown(keys)):
        raise NotPossibleError("The live keys have changed meanwhile: look at them again.")
    _end_and_tell(keys, now=timezone.now(), by=by)
    audit.record(
        Verb.KEYS_REVOKED,
        customer=customer,
        actor=by.actor,
        address=by.address,
        number=str(len(keys)),
        reason=by.reason,
    )
    return len(keys)


def revoke_all(
    *, exchange: str | None = None, customer: User | None = None, seal_id: str | None = None
) -> Iterator[int]:
    """Revoke every live key of an exchange, of a customer or under a seal key, in batches that commit one by
    one.

    Gives how many are revoked so far, after each batch. Can be stopped and run again. Raises ValueError
    unless one of them is named: nothing ends all keys of everybody.
    """
    if sum(named is not None for named in (exchange, customer, seal_id)) != 1:
        raise ValueError("Name an exchange, a customer or a seal key, and one of them only.")
    bots = Bot.objects.all()
    if exchange is not None:
        bots = bots.filter(exchange=exchange)
    elif customer is not None:
        bots = bots.filter(customer=customer)
    else:
        bots = bots.filter(pk__in=ApiKey.objects.live().filter(seal_id=seal_id).values("bot"))
    done = after = 0
    while batch := _next(bots, after):
        with transaction.atomic():
            done += _revoke_bots(batch, seal_id=seal_id)
        after = batch[-1]
        yield done


def next_bots(*, exchange: str, after: int) -> list[int]:
    """A batch of bots of an exchange behind the one numbered `after`; empty: there is none left."""
    return _next(Bot.objects.filter(exchange=exchange), after)


def revoke_of_bots(bot_pks: Sequence[int], *, until: datetime, by: By) -> int:
    """Within the caller's transaction; gives how many keys.

    until: keys handed over later stay, since nobody has seen them when this was decided.
    """
    return _revoke_bots(bot_pks, by=by, until=until)


def _next(bots: QuerySet[Bot], after: int) -> list[int]:
    """Once through the bots, by their primary key: to look for what is left alive reads, at each batch, all
    that the batches before have ended.
    """
    return list(bots.order_by("pk").values_list("pk", flat=True).filter(pk__gt=after)[:_BATCH])


def _revoke_bots(
    bot_pks: Sequence[int],
    *,
    by: By | None = None,
    until: datetime | None = None,
    seal_id: str | None = None,
) -> int:
    transitions.lock_bots(bot_pks)
    keys = [
        key
        for key in _live(bot_pks)
        if (until is None or key.submitted_at <= until) and seal_id in (None, key.seal_id)
    ]
    _end_and_tell(keys, now=timezone.now(), by=by)
    return len(keys)


def _live(bot_pks: Sequence[int]) -> list[ApiKey]:
    return list(ApiKey.objects.live().filter(bot__in=bot_pks).select_related("bot__customer").defer("sealed"))


def _end_and_tell(keys: Sequence[ApiKey], *, now: datetime, by: By | None) -> None:
    """By support, or by who runs the portal: the customers hear of it, each once a key."""
    if not keys:
        return
    if by is None:
        _end(keys, now=now)
    else:
        _end(keys, now=now, actor=by.actor, address=by.address, reason=by.reason)
    # Where a new key was on its way, the bot goes on with the old one.
    active = ApiKey.objects.active().filter(bot__in={key.bot_id for key in keys})
    kept = dict(active.values_list("bot_id", "last_four"))
    outbox.send_many([_letter(key, kept.get(key.bot_id, ""), now) for key in keys])


def _end(
    keys: Sequence[ApiKey],
    *,
    now: datetime,
    actor: User | None = None,
    address: str | None = None,
    **reason: str,
) -> None:
    for status in {key.status for key in keys}:
        transitions.move_many([key for key in keys if key.status == status], KeyStatus.REVOKED, now=now)
    offers.withdraw(keys, now=now)
    audit.record_many(
        [about_key(Verb.KEY_REVOKED, key, at=now, actor=actor, address=address, **reason) for key in keys]
    )


def _letter(key: ApiKey, keeps: str, now: datetime) -> Letter:
    customer = key.bot.customer
    return Letter(
        MailKind.API_REVOKED,
        owner_id=customer.pk,
        to=customer.email,
        cause=f"api_revoked:{key.pk}",
        context=facts(key.bot) | {"last_four": key.last_four, "keeps_last_four": keeps, "revoked_at": now},
    )
