"""Customers and bots from a CSV file, all or nothing. Running it again changes nothing."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.identifiers import BOT_ID_MAX, CLIENT_ID_MAX, canonical
from accounts.models import User
from apikeys import transitions
from apikeys.exchanges.base import Market
from apikeys.exchanges.registry import EXCHANGES
from apikeys.models import ApiKey, Bot
from notifications import outbox
from notifications.kinds import MailKind

_EMAIL_MAX = 254  # what fits into the envelope of a mail (RFC 5321)
COLUMNS = ("client_id", "name", "email", "bot_id", "exchange", "market")


class RowError(Exception):
    """One line a problem: the line number in the file and the reason."""


class _BadRow(Exception):
    pass


@dataclass
class Result:
    rows: int = 0
    new_bots: int = 0
    invited: dict[int, User] = field(default_factory=dict)

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


@transaction.atomic
def import_customers(text: str, *, invite: bool) -> Result:
    """Read the whole file. Raises RowError with every bad line; then nothing of the file is kept.

    invite: queue a welcome mail for each customer that is new.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise RowError(f"line 1: not CSV: {error}.") from None
    missing = set(COLUMNS) - set(reader.fieldnames)
    if missing:
        raise RowError(f"line 1: the columns {', '.join(sorted(missing))} are missing.")
    result, problems = Result(), []
    try:
        for raw in reader:
            try:
                _take(_parse(raw), result)
                result.rows += 1
            except _BadRow as problem:
                problems.append(f"line {reader.line_num}: {problem}")
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: not CSV: {error}.")
    if problems:
        raise RowError("\n".join(problems))
    if invite:
        for user in result.invited.values():
            _invite(user)
    return result


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


def _take(row: Row, result: Result) -> None:
    user = _customer(row, result)
    bot = Bot.objects.select_related("customer").filter(bot_id__iexact=row.bot_id).first()
    if bot is None:
        Bot.objects.create(bot_id=row.bot_id, customer=user, exchange=row.exchange, market=row.market)
        result.new_bots += 1
        return
    if bot.customer_id != user.pk:
        raise _BadRow(
            f"bot {bot.bot_id} belongs to {bot.customer.client_id}. Moving a bot is an act of the desk:"
            " “Give the bot to another customer”."
        )
    if (bot.exchange, bot.market) != (row.exchange, row.market):
        transitions.lock_bot(bot.pk)
        if ApiKey.objects.filter(bot=bot).live().exists():
            raise _BadRow(
                f"bot {bot.bot_id} has a live key at {bot.exchange}, {bot.market}. Revoke it first, at the"
                " desk: “Revoke the key”."
            )
        bot.exchange, bot.market = row.exchange, row.market
        bot.save(update_fields=["exchange", "market"])


def _customer(row: Row, result: Result) -> User:
    user = User.objects.filter(client_id__iexact=row.client_id).first()
    if user is None:
        if User.objects.filter(email__iexact=row.email).exists():
            raise _BadRow(f"{row.email} is the address of another person.")
        user = User.objects.create_user(row.email, client_id=row.client_id, name=row.name)
        audit.record(Verb.IMPORTED, customer=user)
        result.invited[user.pk] = user
    elif user.email.casefold() != row.email.casefold():
        raise _BadRow(
            f"{user.client_id} has another primary address. Changing it is an act of the desk:"
            " “Change the primary address”."
        )
    return user


def _invite(user: User) -> None:
    outbox.send(
        MailKind.WELCOME,
        owner_id=user.pk,
        to=user.email,
        cause=f"welcome:{user.pk}",
        context={"client_id": user.client_id, "bots": _bot_ids(user.bots.all())},
    )


def _bot_ids(bots: Iterable[Bot]) -> list[str]:
    return [bot.bot_id for bot in bots]
