"""Seals every stored secret anew under the newest seal key, so that an older one can be destroyed.

Each row is changed by compare-and-set on its id, its old seal key and a live status. So it can be stopped at
any moment and begun again, a wiped secret never comes back, and people, checks and a second rotation go on
beside it. Only the portal's own copies are sealed anew; what waits for the trading engine is sealed to the
engine's key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import BinaryField, Case, Value, When

from accounts import audit
from accounts.audit_verbs import Verb
from apikeys import vault
from apikeys.models import ApiKey
from apikeys.vault import Sealed

# Rows changed in one transaction. Whoever wants one of them, or writes on SQLite at all, waits for some
# twenty milliseconds.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is. `unopened`: the rows of this step that do not open, with the reason."""

    done: int
    left: int
    unopened: dict[UUID, str]


@dataclass(frozen=True, slots=True)
class _Anew:
    key_id: UUID
    old_seal_id: str
    sealed: Sealed


def rotate() -> Iterator[Step]:
    """Work until no row is left but those that do not open; the caller is told after each batch.

    Goes over the rows again as long as a pass finds some: keys are submitted meanwhile, by processes that may
    not have the newest key yet.
    """
    done, given_up = 0, set[UUID]()
    while True:
        left = _left(given_up)
        if not left:
            break
        for batch in _batches():
            anew, unopened = _seal_anew([row for row in batch if row[0] not in given_up])
            given_up |= unopened.keys()
            done += _store(anew)
            left = max(0, left - len(anew) - len(unopened))
            yield Step(done, left, unopened)
    if done:
        _record(done)


def retirable() -> list[str]:
    """Older seal keys that no row needs any more."""
    needed = set(ApiKey.objects.live().values_list("seal_id", flat=True).distinct())
    return sorted(vault.known_seal_ids() - needed - {vault.newest_seal_id()})


def _left(given_up: set[UUID]) -> int:
    return ApiKey.objects.sealed_under_older(vault.newest_seal_id()).exclude(pk__in=given_up).count()


_Row = tuple[UUID, bytes, str, str, str]


def _batches() -> Iterator[Sequence[_Row]]:
    rows = ApiKey.objects.sealed_under_older(vault.newest_seal_id()).order_by("pk")
    columns = ("pk", "sealed", "seal_id", "bot__bot_id", "bot__exchange")
    after = UUID(int=0)
    while batch := list(rows.filter(pk__gt=after).values_list(*columns)[:_AT_ONCE]):
        yield batch
        after = batch[-1][0]


def _seal_anew(rows: Sequence[_Row]) -> tuple[list[_Anew], dict[UUID, str]]:
    anew, unopened = [], {}
    for key_id, sealed, seal_id, bot_id, exchange in rows:
        try:
            fresh = vault.seal_anew(sealed, seal_id, key_id=key_id, bot_id=bot_id, exchange=exchange)
        except vault.SealError as error:
            unopened[key_id] = str(error)
        else:
            anew.append(_Anew(key_id, seal_id, fresh))
    return anew, unopened


def _store(anew: Sequence[_Anew]) -> int:
    """How many rows were changed. Flows lock several rows of a bot in an order of their own, so nothing is
    waited for while rows are held: what is locked is changed afterwards, by itself.
    """
    with transaction.atomic():
        rows = ApiKey.objects.select_for_update(skip_locked=True, no_key=True)
        free = set(rows.filter(pk__in=[item.key_id for item in anew]).values_list("pk", flat=True))
        changed = _compare_and_set([item for item in anew if item.key_id in free])
    return changed + sum(_compare_and_set([item]) for item in anew if item.key_id not in free)


def _compare_and_set(anew: Sequence[_Anew]) -> int:
    """One statement for all rows of one old and one new seal key: a third of the time of one for each."""
    together: dict[tuple[str, str], list[_Anew]] = {}
    for item in anew:
        together.setdefault((item.old_seal_id, item.sealed.seal_id), []).append(item)
    changed = 0
    for (old, new), items in together.items():
        rows = ApiKey.objects.live().filter(pk__in=[item.key_id for item in items], seal_id=old)
        sealed = Case(
            *(When(pk=item.key_id, then=Value(item.sealed.ciphertext)) for item in items),
            output_field=BinaryField(),
        )
        changed += rows.update(sealed=sealed, seal_id=new)
    return changed


@transaction.atomic
def _record(done: int) -> None:
    audit.record(Verb.KEYS_SEALED_ANEW, customer=None, number=str(done), seal_id=vault.newest_seal_id())
