"""Takes rows away in batches, so that no long transaction holds up what people do meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from django.db import models, transaction

M = TypeVar("M", bound=models.Model)

# One batch is some ten milliseconds. What is over the limit of one run is left for the next one.
BATCH = 1000
BATCHES = 200


def delete(rows: models.QuerySet[M]) -> int:
    """Delete these rows and what belongs to them; say how many of them went. Safe to run twice at once."""
    return in_batches(rows, lambda batch: batch.delete())


def in_batches(rows: models.QuerySet[M], act: Callable[[models.QuerySet[M]], object]) -> int:
    """Act on these rows, none of which may be among them afterwards. Safe to run twice at once.

    act: given the locked rows of one batch; it all stands or falls with the batch.
    """
    done = 0
    for _ in range(BATCHES):
        with transaction.atomic():
            # Rows that somebody else is at are passed by: two that prune share the work and never wait.
            free = rows.select_for_update(skip_locked=True, of=("self",))
            ids = list(free.values_list("pk", flat=True)[:BATCH])
            act(rows.model._default_manager.filter(pk__in=ids))
        done += len(ids)
        if len(ids) < BATCH:
            break
    return done
