"""Plans sweeps: keys in use whose check is due are leased in lists of one exchange, for a task each.

A lease is the claim that a check takes too. It ends by itself, so that what a lost message or a dead worker
held is leased again. Only what is soon worked on is leased: each exchange has work for a few minutes at its
own pace, and while nobody takes lists up, none are added. What lies further back waits in its rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery, UUIDField

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.registry import EXCHANGES
from apikeys.models import ApiKey, Bot, ExchangeState

# Rows of a version before that get their exchange in one go.
_ADOPTED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Lease:
    """Keys of one exchange that carry `claim`."""

    exchange: str
    claim: UUID
    key_ids: tuple[UUID, ...]


def plan(now: datetime, *, most: int) -> Iterator[Lease]:
    """Lease what is due, in at most `most` lists, each committed as it is given. The exchanges take turns.

    Two that plan at once share the work.
    """
    _adopt()
    due_after: dict[str, datetime | None] = dict.fromkeys(EXCHANGES)
    while due_after:
        for exchange in list(due_after):
            if most <= 0:
                return
            leased = _lease(EXCHANGES[exchange], due_after[exchange], now)
            if leased is None:
                del due_after[exchange]
                continue
            lease, due_after[exchange] = leased
            most -= 1
            yield lease


def release(claim: UUID, *, due_at: datetime | None = None) -> None:
    """Give the keys of a lease back that are still under it, to be checked at once or at another time."""
    fields: dict[str, object] = {"claim": None, "claimed_until": None, "leased": False}
    if due_at is not None:
        fields["check_due_at"] = due_at
    ApiKey.objects.active().filter(claim=claim).update(**fields)


def list_size(adapter: Adapter) -> int:
    wanted = adapter.keys_per_second * settings.SWEEP_LIST_LASTS.total_seconds()
    return max(1, min(settings.SWEEP_LIST, int(wanted)))


@transaction.atomic
def _lease(
    adapter: Adapter, due_after: datetime | None, now: datetime
) -> tuple[Lease, datetime | None] | None:
    """One list and when its last key was due; None where nothing is due, or the exchange has work enough.

    due_after: keys that were due before are under way.
    """
    ExchangeState.objects.get_or_create(exchange=adapter.id)
    state = ExchangeState.objects.select_for_update(no_key=True).get(exchange=adapter.id)
    begins = max(now, state.swept_until or now)
    if begins >= now + settings.SWEEP_PLANNED_AHEAD:
        return None
    due = ApiKey.objects.to_sweep(adapter.id, now).order_by("check_due_at")
    if due_after is not None:
        due = due.filter(check_due_at__gte=due_after)
    most = list_size(adapter)
    claim, ends = uuid4(), begins + timedelta(seconds=most / adapter.keys_per_second)
    leased = _claim(due[:most], claim, until=ends + settings.SWEEP_CLAIM)
    if not leased:
        return None
    ends = begins + timedelta(seconds=len(leased) / adapter.keys_per_second)
    ExchangeState.objects.filter(pk=state.pk).update(swept_until=ends)
    return Lease(adapter.id, claim, tuple(leased)), max(leased.values())


# One statement: a thousand ids that go to the database and back cost as much as all the rest of a lease.
_CLAIM = """
    WITH due (due_id) AS ({due})
    UPDATE apikeys_apikey SET claim = %s, claimed_until = %s, leased = TRUE FROM due WHERE id = due_id
    RETURNING id, check_due_at
"""


def _claim(due: QuerySet[ApiKey], claim: UUID, *, until: datetime) -> dict[UUID, datetime]:
    """Put the claim on what is due and nobody else is about to claim; ids, and when each was due."""
    rows = due.select_for_update(skip_locked=True, no_key=True).values("pk")
    sql, parameters = rows.query.get_compiler(connection=connection).as_sql()
    # As each database writes and reads them.
    as_id, as_time = UUIDField().get_db_prep_value, DateTimeField().get_db_prep_value
    fields = (as_id(claim, connection), as_time(until, connection))
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(due=sql), [*parameters, *fields])
        found = cursor.fetchall()
    if connection.vendor == "sqlite":
        return {UUID(key_id): at.replace(tzinfo=UTC) for key_id, at in found}
    return dict(found)


def _adopt() -> None:
    """Keys that a version before wrote, which knows no exchange of a key."""
    without = ApiKey.objects.active().filter(exchange="").values("pk")[:_ADOPTED_AT_ONCE]
    of_bot = Bot.objects.filter(pk=OuterRef("bot")).values("exchange")
    ApiKey.objects.filter(pk__in=without).update(exchange=Subquery(of_bot))
