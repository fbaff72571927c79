"""Rights that active keys turned out to have and that nobody here knows, by name: one question for the desk,
however many keys have it."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from apikeys.findings import FindingCode
from apikeys.flows.judge_active import SEPARATOR
from apikeys.models import ApiKey


@dataclass(frozen=True, slots=True)
class UnknownRight:
    """exchange: an id of the registry. name: as it writes it. keys: how many active ones have it."""

    exchange: str
    name: str
    keys: int


def unknown_rights() -> list[UnknownRight]:
    """The most frequent first. One grouping query, over the keys of concern only."""
    concerned = ApiKey.objects.active().filter(concern=FindingCode.UNPROVEN_PERMISSION)
    groups = concerned.order_by().values_list("exchange", "unknown_rights").annotate(Count("pk"))
    counts: Counter[tuple[str, str]] = Counter()
    for exchange, names, keys in groups:
        for name in names.split(SEPARATOR):
            counts[exchange, name] += keys
    return [UnknownRight(exchange, name, keys) for (exchange, name), keys in counts.most_common()]
