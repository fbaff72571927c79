"""Searching: a term may stand for several things, tried from the best match to the weakest.

Comparisons are those of `iexact`, `istartswith` and `icontains`. On PostgreSQL each has an index of the same
expression (`notifications.desk.indexes`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Replace

from notifications.desk.indexes import has_trigrams

# Shorter pieces have no trigram of their own, and are in too many rows to be worth looking at.
LEAST_INSIDE = 3


class Match(IntEnum):
    EXACT = 0
    BEGINNING = 1
    INSIDE = 2

    @property
    def lookup(self) -> str:
        return ("iexact", "istartswith", "icontains")[self]


@dataclass(frozen=True, slots=True)
class Way:
    """why: for who reads a hit, such as "BOT ID begins so"."""

    match: Match
    why: str
    narrow: "Callable[[QuerySet[Any]], QuerySet[Any]]"
    newest_first_by: str = ""  # where the order among hits matters; an indexed field


@dataclass(frozen=True, slots=True)
class Hit:
    row: Any
    way: Way


def without_spaces(field: str) -> Replace:
    """How an id is compared: spacing is forgiven."""
    return Replace(field, Value(" "), Value(""), output_field=TextField())


def by(match: Match, what: str, field: str | Combinable, term: str) -> Way:
    """The way of one comparison. what: such as "BOT ID"."""

    def narrow(rows: "QuerySet[Any]") -> "QuerySet[Any]":
        name = field if isinstance(field, str) else "compared"
        if not isinstance(field, str):
            rows = rows.alias(compared=field)
        return rows.filter(**{f"{name}__{match.lookup}": term})

    return Way(match, f"{what}{_SAYS[match]}", narrow)


def ways_of(term: str, what: str, field: str | Combinable) -> list[Way]:
    """Exactly, as a beginning, and inside, for as much as the term and the database allow."""
    matches = [Match.EXACT, Match.BEGINNING]
    if len(term) >= LEAST_INSIDE and has_trigrams():
        matches.append(Match.INSIDE)
    return [by(match, what, field, term) for match in matches]


def best_first(ways: Iterable[Way]) -> list[Way]:
    return sorted(ways, key=lambda way: way.match)


_SAYS = {Match.EXACT: "", Match.BEGINNING: " begins so", Match.INSIDE: " has it inside"}


def first_way(rows: "QuerySet[Any]", ways: Sequence[Way]) -> Way | None:
    """The best one by which there is anything, in one statement."""
    found = _run(rows, ways, 1)
    return ways[found[0][1]] if found else None


def hits(rows: "QuerySet[Any]", ways: Sequence[Way], most: int) -> list[Hit]:
    """The best ones, in two statements. A row that is found in several ways is a hit of the best."""
    found = _run(rows, ways, most + len(ways))
    best: dict[Any, Way] = {}
    for pk, number in found:
        best.setdefault(pk, ways[number])
    there = rows.in_bulk(list(best)[:most])
    return [Hit(there[pk], way) for pk, way in best.items() if pk in there]


def _run(rows: "QuerySet[Any]", ways: Sequence[Way], most: int) -> list[tuple[Any, int]]:
    """Key and number of the way. The database tries a way only where the ones before gave too little."""
    parts, parameters = [], []
    for number, way in enumerate(ways):
        part = way.narrow(rows.order_by()).values("pk").annotate(way=Value(number))
        if way.newest_first_by:
            part = part.order_by(f"-{way.newest_first_by}")
        try:
            sql, values = part[:most].query.sql_with_params()
        except EmptyResultSet:
            continue
        # Written by Django from querysets, values apart.
        parts.append(f"SELECT * FROM ({sql}) AS way_{number}")  # noqa: S608 # nosec B608
        parameters += values
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} LIMIT {int(most)}", parameters)
        to_python = rows.model._meta.pk.to_python
        return [(to_python(pk), number) for pk, number in cursor.fetchall()]
