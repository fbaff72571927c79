"""Customers and bots from a CSV file, all or nothing. Running it again changes nothing.

preview ─▶ what the file would do, line by line; nothing is kept
import_customers ─▶ does it
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models.functions import Upper

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.flows import add_customer
from accounts.identifiers import BOT_ID_MAX, CLIENT_ID_MAX, canonical
from accounts.models import User
from apikeys import transitions
from apikeys.exchanges.base import Market
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows.add_bot import of_customer
from apikeys.models import ApiKey, Bot

_LOOKED_UP_AT_ONCE = 500
_EMAIL_MAX = 254  # what fits into the envelope of a mail (RFC 5321)
_MEANWHILE = "was added by somebody else at this moment. Take the file again."
COLUMNS = ("client_id", "name", "email", "bot_id", "exchange", "market")


class RowError(Exception):
    """One line a problem: the line number in the file and the reason. `problems` has them one by one."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _BadRow(Exception):
    pass


@dataclass
class Result:
    """changes: one sentence for each thing that is not as it was before, with its line."""

    rows: int = 0
    new_bots: int = 0
    invited: dict[int, User] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)

    @property
    def new_customers(self) -> int:
        return len(self.invited)


@dataclass(frozen=True)
class Row:
    client_id: str
    name: str
    email: str
    bot_id: str
    exchange: str
    market: Market


def preview(text: str) -> Result:
    """What `import_customers` would do with the file as things are now. Raises as it does."""
    with transaction.atomic():
        result = import_customers(text, invite=False)
        transaction.set_rollback(True)
    return result


@transaction.atomic
def import_customers(
    text: str, *, invite: bool, actor: User | None = None, address: str | None = None
) -> Result:
    """Read the whole file. Raises RowError with every bad line; then nothing of the file is kept.

    invite: queue a welcome mail for each customer that is new. actor: who does it at the desk, from address.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise RowError(f"line 1: not CSV: {error}.") from None
    missing = set(COLUMNS) - set(reader.fieldnames)
    if missing:
        raise RowError(f"line 1: the columns {', '.join(sorted(missing))} are missing.")
    result, problems, rows = Result(), [], list[tuple[int, Row]]()
    try:
        for raw in reader:
            try:
                rows.append((reader.line_num, _parse(raw)))
            except _BadRow as problem:
                problems.append((reader.line_num, str(problem)))
    except csv.Error as error:
        problems.append((reader.line_num, f"not CSV: {error}."))
    _lock_bots(rows)
    by = _By(actor, address)
    for line, row in rows:
        try:
            changed = _take(row, result, by)
        except _BadRow as problem:
            problems.append((line, str(problem)))
        else:
            result.rows += 1
            result.changes += [f"line {line}: {change}" for change in changed]
    if problems:
        raise RowError(*(f"line {line}: {problem}" for line, problem in sorted(problems)))
    if invite:
        for user in result.invited.values():
            add_customer.invite(user, [bot.bot_id for bot in user.bots.all()])
    return result


def _lock_bots(rows: Sequence[tuple[int, Row]]) -> None:
    """Those that the file names, in the order in which everybody takes these locks."""
    named = [row.bot_id.upper() for _, row in rows]
    known = Bot.objects.annotate(folded=Upper("bot_id"))
    pks: list[int] = []
    for first in range(0, len(named), _LOOKED_UP_AT_ONCE):
        part = known.filter(folded__in=named[first : first + _LOOKED_UP_AT_ONCE])
        pks += part.values_list("pk", flat=True)
    for first in range(0, len(pks), _LOOKED_UP_AT_ONCE):
        transitions.lock_bots(sorted(pks)[first : first + _LOOKED_UP_AT_ONCE])


@dataclass(frozen=True)
class _By:
    actor: User | None
    address: str | None


def _parse(raw: dict[str | None, object]) -> Row:
    if None in raw or any(raw.get(name) is None for name in COLUMNS):
        raise _BadRow(f"it has not {len(COLUMNS)} columns.")
    values = {name: str(raw[name]).strip() for name in COLUMNS}
    client_id, bot_id = canonical(values["client_id"]), canonical(values["bot_id"])
    for name, value, longest in (("client_id", client_id, CLIENT_ID_MAX), ("bot_id", bot_id, BOT_ID_MAX)):
        if not value or len(value) > longest:
            raise _BadRow(f"{name} must have 1 to {longest} characters.")
        if not value.isprintable():
            raise _BadRow(f"{name} holds characters that cannot be shown.")
    if len(values["name"]) > 150 or not values["name"].isprintable():
        raise _BadRow("name must have at most 150 characters that can be shown.")
    try:
        validate_email(values["email"])
    except ValidationError:
        raise _BadRow(f"{values['email']!r} is no email address.") from None
    if len(values["email"]) > _EMAIL_MAX:
        raise _BadRow(f"email must have at most {_EMAIL_MAX} characters.")
    exchange = values["exchange"].lower()
    if exchange not in EXCHANGES:
        raise _BadRow(f"exchange {values['exchange']!r} is not offered. Offered: {', '.join(EXCHANGES)}.")
    market = values["market"].lower()
    if market not in EXCHANGES[exchange].markets:
        offered = ", ".join(EXCHANGES[exchange].markets)
        raise _BadRow(f"market {values['market']!r} is not offered for {exchange}. Offered: {offered}.")
    return Row(client_id, values["name"], values["email"], bot_id, exchange, Market(market))


def _take(row: Row, result: Result, by: _By) -> list[str]:
    """Do what the row says; gives what that changed."""
    user, changed = _customer(row, result, by)
    bot = Bot.objects.select_related("customer").filter(bot_id__iexact=row.bot_id).first()
    where = f"{row.exchange}, {row.market}"
    if bot is None:
        bot_id = of_customer(row.bot_id, user)
        if not bot_id:
            raise _BadRow(f"bot_id must begin with {user.client_id} / and then have a name.")
        try:
            with transaction.atomic():  # a statement that fails would spoil the whole transaction
                bot = Bot.objects.create(
                    bot_id=bot_id, customer=user, exchange=row.exchange, market=row.market
                )
        except IntegrityError:
            raise _BadRow(f"bot {bot_id} {_MEANWHILE}") from None
        _record(Verb.BOT_LAUNCHED, bot, user, by)
        result.new_bots += 1
        return [*changed, f"new bot {bot_id} at {where}"]
    if bot.customer_id != user.pk:
        raise _BadRow(
            f"bot {bot.bot_id} belongs to {bot.customer.client_id}. Moving a bot is an act of the desk:"
            " “Give the bot to another customer”."
        )
    if (bot.exchange, bot.market) != (row.exchange, row.market):
        if ApiKey.objects.filter(bot=bot).live().exists():
            raise _BadRow(
                f"bot {bot.bot_id} has a live key at {bot.exchange}, {bot.market}. Revoke it first, at the"
                " desk: “Revoke the key”."
            )
        changed.append(f"bot {bot.bot_id} goes from {bot.exchange}, {bot.market} to {where}")
        bot.exchange, bot.market = row.exchange, row.market
        bot.save(update_fields=["exchange", "market"])
        _record(Verb.BOT_CHANGED, bot, user, by)
    return changed


def _record(verb: Verb, bot: Bot, customer: User, by: _By) -> None:
    audit.record(
        verb,
        customer=customer,
        actor=by.actor,
        address=by.address,
        bot_id=bot.bot_id,
        where=f"{bot.exchange}, {bot.market}",
    )


def _customer(row: Row, result: Result, by: _By) -> tuple[User, list[str]]:
    user = User.objects.filter(client_id__iexact=row.client_id).first()
    if user is None:
        try:
            user = add_customer.add_customer(
                client_id=row.client_id, name=row.name, email=row.email, actor=by.actor, address=by.address
            )
        except add_customer.IdTakenError:
            raise _BadRow(f"{row.client_id} {_MEANWHILE}") from None
        except add_customer.AddressTakenError:
            raise _BadRow(f"{row.email} is the address of another person.") from None
        result.invited[user.pk] = user
        return user, [f"new customer {user.client_id}, {user.email}"]
    if user.email.casefold() != row.email.casefold():
        raise _BadRow(
            f"{user.client_id} has another primary address. Changing it is an act of the desk:"
            " “Change the primary address”."
        )
    return user, []
