"""Looks whether a key that has ended left anything behind that could still be opened.

A key's own row cannot: the database refuses it (`sealed_if_and_only_if_live`). It is asked all the same,
since a table that was restored or altered by hand may have lost the rule. That the copy for the trading
engine goes with the key is kept by `transitions` alone, as no rule of the database spans two tables.
"""

import logging

from django.db.models import Q, QuerySet

from apikeys.models import ApiKey, Handover
from apikeys.status import LIVE
from telemetry import tallies
from telemetry.models import What
from telemetry.tallies import Counted

logger = logging.getLogger(__name__)

_NAMED = 20


def wipe_leftovers() -> int:
    """Wipe what is found and raise the alarm, with the ids of keys and nothing else. Gives how many keys."""
    ended = ApiKey.objects.exclude(status__in=LIVE)
    secrets = ended.filter(Q(sealed__isnull=False) | ~Q(seal_id=""))
    envelopes = Handover.objects.filter(envelope__isnull=False).exclude(key__status__in=LIVE)
    found = [*_ids(secrets.values_list("pk", flat=True)), *_ids(envelopes.values_list("key_id", flat=True))]
    if not found:
        return 0
    secrets.update(sealed=None, seal_id="")
    envelopes.update(envelope=None)
    logger.error("Ended keys still held a secret, wiped now: %s", ", ".join(sorted(set(found))))
    tallies.count(Counted(What.UNWIPED, "keys", number=len(set(found))))
    return len(set(found))


def _ids(found: "QuerySet[ApiKey, object] | QuerySet[Handover, object]") -> list[str]:
    return [str(pk) for pk in found[:_NAMED]]
