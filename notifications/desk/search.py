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
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.constants import LOOKUP_SEP
from django.db.models.functions import Replace

from notifications.desk.indexes import has_trigrams

# Shorter pieces have no trigram of their own, and are in too many rows to be worth looking at.
LEAST_INSIDE = 3
# Of the customers or bots that a term means, how many are looked at first for rows of theirs.
_OWNERS = 200


class Match(IntEnum):
    EXACT = 0
    BEGINNING = 1
    INSIDE = 2

    @property
    def lookup(self) -> str:
        return ("iexact", "istartswith", "icontains")[self]


@dataclass(frozen=True, slots=True)
class Owners:
    """Rows of another table that match, such as customers, and how the rows that are searched name them."""

    path: str
    matching: "Callable[[type[Model]], QuerySet[Any]]"

    def of(self, model: type[Model]) -> "QuerySet[Any]":
        for name in self.path.split(LOOKUP_SEP):
            model = model._meta.get_field(name).related_model  # type: ignore[assignment]
        return self.matching(model)


@dataclass(frozen=True, slots=True)
class Way:
    """why: for who reads a hit, such as "BOT ID begins so"."""

    match: Match
    why: str
    narrow: "Callable[[QuerySet[Any]], QuerySet[Any]]"
    newest_first_by: str = ""  # where the order among hits matters; an indexed field
    owners: Owners | None = None

    def narrow_to_few(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """As `narrow`, but to rows of _OWNERS owners at most.

        They are looked for apart from the rows. In a join the planner counts on the first of many rows to
        come soon, and reads all customers one by one where none of them matches.
        """
        if self.owners is None:
            return self.narrow(rows)
        few = self.owners.of(rows.model)[:_OWNERS]
        return rows.filter(**{f"{self.owners.path}__in": few.values("pk")})


@dataclass(frozen=True, slots=True)
class Hit:
    row: Any
    way: Way


def without_spaces(field: str) -> Replace:
    """How an id is compared: spacing is forgiven."""
    return Replace(field, Value(" "), Value(""), output_field=TextField())


def by(match: Match, what: str, field: str, term: str, *, prefix: str = "", spaced: bool = True) -> Way:
    """The way of one comparison. what: such as "BOT ID".

    prefix: how the rows that are searched name the row that has the field, such as `customer__`.
    spaced: False where spacing is forgiven; the term comes without any then.
    """

    def narrow(rows: "QuerySet[Any]", prefix: str = prefix) -> "QuerySet[Any]":
        name = f"{prefix}{field}"
        if not spaced:
            rows, name = rows.alias(compared=without_spaces(name)), "compared"
        return rows.filter(**{f"{name}__{match.lookup}": term})

    def matching(model: type[Model]) -> "QuerySet[Any]":
        return narrow(model._default_manager.order_by(), prefix="")

    owners = Owners(prefix.removesuffix(LOOKUP_SEP), matching) if prefix else None
    return Way(match, f"{what}{_SAYS[match]}", narrow, owners=owners)


def ways_of(term: str, what: str, field: str, *, prefix: str = "", spaced: bool = True) -> list[Way]:
    """Exactly, as a beginning, and inside, for as much as the term and the database allow; see `by`."""
    matches = [Match.EXACT, Match.BEGINNING]
    if len(term) >= LEAST_INSIDE and has_trigrams():
        matches.append(Match.INSIDE)
    return [by(match, what, field, term, prefix=prefix, spaced=spaced) for match in matches]


def best_first(ways: Iterable[Way]) -> list[Way]:
    return sorted(ways, key=lambda way: way.match)


_SAYS = {Match.EXACT: "", Match.BEGINNING: " begins so", Match.INSIDE: " has it inside"}


def first_way(rows: "QuerySet[Any]", ways: Sequence[Way]) -> Way | None:
    """The best one by which there is anything.

    In one statement, unless very many owners match in a way and the first of them have no such row.
    """
    rows, begin = rows.order_by(), 0
    while begin < len(ways):
        parts = []
        for number, way in list(enumerate(ways))[begin:]:
            parts.append((number, way.narrow_to_few(rows)))
            if way.owners:
                parts.append((number + len(ways), way.owners.of(rows.model)[_OWNERS:]))
        found = _run(parts, 1)
        if not found:
            break
        further, number = divmod(found[0][1], len(ways))
        if not further or ways[number].narrow(rows).exists():
            return ways[number]
        begin = number + 1
    return None


def hits(rows: "QuerySet[Any]", ways: Sequence[Way], most: int) -> list[Hit]:
    """The best ones, in two statements. A row that is found in several ways is a hit of the best."""
    parts = []
    for number, way in enumerate(ways):
        part = way.narrow(rows.order_by())
        parts.append((number, part.order_by(f"-{way.newest_first_by}") if way.newest_first_by else part))
    best: dict[Any, Way] = {}
    for pk, number in _run(parts, most + len(ways)):
        best.setdefault(pk, ways[number])
    there = rows.in_bulk(list(best)[:most])
    return [Hit(there[pk], way) for pk, way in best.items() if pk in there]


def _run(parts: "Sequence[tuple[int, QuerySet[Any]]]", most: int) -> list[tuple[Any, int]]:
    """Key of a row and number of its part. A part is tried only where those before gave too little."""
    written, values, to_python = [], [], {}
    for number, part in parts:
        numbered = part.values("pk").annotate(number=Value(number))[:most]
        try:
            sql, of_part = numbered.query.sql_with_params()
        except EmptyResultSet:
            continue
        # Keys as text: those of several tables are of several types. Written by Django, values apart.
        written.append(f"SELECT CAST(pk AS TEXT), number FROM ({sql}) AS part_{number}")  # noqa: S608 # nosec B608
        values += of_part
        to_python[number] = part.model._meta.pk.to_python
    if not written:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(written)} LIMIT {int(most)}", values)
        return [(to_python[number](pk), number) for pk, number in cursor.fetchall()]
