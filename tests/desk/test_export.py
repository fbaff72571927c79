"""Lists of the desk as files: what is in them, what never is, and what a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import BinaryField, Expression, JSONField, TextField
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Combinable
from django.test import Client
from pytest_django import Settings

from accounts.desk.export import ExportableAdmin
from accounts.models import AuditEvent, User
from accounts.roles import Role
from apikeys.models import Bot
from apikeys.status import KeyStatus
from tests.apikeys.rows import make_key
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db

USERS, KEYS = "/admin/accounts/user/export/", "/admin/apikeys/apikey/export/"
NEVER = {"password", "sealed", "seal_id", "fingerprint", "claim", "context", "text", "html", "cause"}


@pytest.fixture
def desk() -> Client:
    return signed_in(make_staff(Role.LEAD))


def file_of(desk: Client, address: str) -> list[list[str]]:
    answer = desk.post(address, {"reason": "Ticket 4711"})
    assert answer.streaming
    assert answer["Content-Disposition"].startswith('attachment; filename="')
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    content = answer.getvalue().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content, newline="")))


def lookups_of(column: str | Combinable) -> list[str]:
    """What a column is made of."""
    if isinstance(column, str):
        return [column]
    assert isinstance(column, Expression)
    parts: Iterable[Any] = column.flatten()
    return [part.name for part in parts if hasattr(part, "name")]


def test_it_names_columns_of_which_none_holds_a_secret_or_a_text() -> None:
    seen = 0
    for model, one in admin.site._registry.items():
        columns = one.export_fields.values() if isinstance(one, ExportableAdmin) else ()
        for lookup in (each for column in columns for each in lookups_of(column)):
            place = model._meta
            *through, name = lookup.split(LOOKUP_SEP)
            for part in through:
                place = place.get_field(part).related_model._meta  # type: ignore[union-attr]
            assert not isinstance(place.get_field(name), BinaryField | JSONField | TextField), lookup
            assert name not in NEVER
            seen += 1
    assert seen > 30


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])  # noqa: RUF001
def test_it_has_no_cell_that_a_spreadsheet_would_run(desk: Client, alice: User, first: str) -> None:
    User.objects.filter(pk=alice.pk).update(name=f'{first}HYPERLINK("http://x","Ä, b")')
    header, *rows = file_of(desk, f"{USERS}?is_staff__exact=0")
    assert rows == [
        [
            *(alice.client_id, f'\'{first}HYPERLINK("http://x","Ä, b")', alice.email, "no", "yes"),
            *(f"{alice.created_at:%Y-%m-%d %H:%M:%S}", ""),
        ]
    ]
    assert header[:3] == ["client_id", "name", "email"]


def test_it_holds_what_the_filters_and_the_search_show_and_says_so_without_the_term(
    desk: Client, binance_bot: Bot, bybit_bot: Bot, bob: User
) -> None:
    for bot, status in (
        (binance_bot, KeyStatus.ACTIVE),
        (binance_bot, KeyStatus.REFUSED),
        (bybit_bot, KeyStatus.REFUSED),
    ):
        make_key(bot, status, bot.exchange[:4], timedelta(0))
    page = desk.get("/admin/apikeys/apikey/?status__exact=refused&p=last").content.decode()
    assert f'href="{KEYS}?status__exact=refused"' in page
    _, *rows = file_of(desk, f"{KEYS}?status__exact=refused&bot__exact={bybit_bot.pk}")
    assert [row[:2] for row in rows] == [["bybi", bybit_bot.bot_id]]
    _, *rows = file_of(desk, f"{USERS}?q=BOB%40example.net")
    assert [row[2] for row in rows] == [bob.email]
    assert len(file_of(desk, USERS)) == 4  # with the header and the lead
    told = [event.detail for event in AuditEvent.objects.filter(verb="list_exported").order_by("pk")]
    assert [(one["list"], one["number"]) for one in told] == [
        ("API keys", "1"),
        ("users", "1"),
        ("users", "3"),
    ]
    assert told[0]["filter"] == f"status: Refused; bot {bybit_bot.pk}"
    assert "a search, found by" in told[1]["filter"]
    assert "@" not in told[1]["filter"]
    assert told[2]["filter"] == "everything"
    assert desk.post(f"{KEYS}?fingerprint__startswith=a", {"reason": "x"}).status_code == 400


def test_it_ends_a_file_that_is_too_long_with_a_line_that_says_so(
    desk: Client, binance_bot: Bot, settings: Settings
) -> None:
    settings.EXPORT_ROWS_MAX = 3
    for number in range(5):
        make_key(binance_bot, KeyStatus.REFUSED, f"{number:04}", timedelta(hours=number))
    _, *rows, last = file_of(desk, KEYS)
    assert [row[0] for row in rows] == ["0000", "0001", "0002"]
    assert last == ["Cut off after 3 rows. Narrow the list by its filters for the rest."]
    for role, status in ((Role.SUPPORT, 403), (Role.OPERATIONS, 403), (Role.AUDITOR, 200)):
        assert signed_in(make_staff(role)).get(KEYS).status_code == status
