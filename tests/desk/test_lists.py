"""Lists at the desk: pages by keyset, filters with numbers, and what an address may ask for."""

import html
import re
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.templatetags.admin_list import items_for_result
from django.contrib.admin.utils import display_for_field, display_for_value, label_for_field
from django.db import connection
from django.db.models import Field, Index, JSONField
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import Role
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from demo import filling
from notifications.desk import keyset, rows
from tests.apikeys.rows import make_key
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db

KEYS = "/admin/apikeys/apikey/"
MOST_STATEMENTS = 15


@pytest.fixture
def desk() -> Client:
    return signed_in(make_staff(Role.LEAD))


def addresses(page: str) -> dict[str, str]:
    nav = re.search(r'<nav aria-label="Pages">(.*?)</nav>', page, re.DOTALL)
    links = re.findall(r'<a href="([^"]*)">(\w+)</a>', nav[1]) if nav else []
    return {words: address.replace("&amp;", "&") for address, words in links}


def walk(desk: Client, start: str, onward: str, *, between: object = lambda: None) -> list[list[object]]:
    """The rows of each page, from one end to the other."""
    pages, address = [], start
    while True:
        answer = desk.get(KEYS + address)
        pages.append([key.pk for key in answer.context["cl"].result_list])
        address = addresses(answer.content.decode()).get(onward, "")
        if not address:
            return pages
        between()  # type: ignore[operator]


def test_it_shows_each_row_once_both_ways_though_times_are_equal_and_rows_come_in(
    desk: Client, bybit_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelAdmin, "list_per_page", 4)
    monkeypatch.setattr(type(admin.site._registry[ApiKey]), "list_per_page", 4, raising=False)
    for number in range(19):  # three at a time
        make_key(bybit_bot, KeyStatus.REFUSED, f"{number:04}", timedelta(hours=number // 3))
    wanted = list(ApiKey.objects.order_by("-submitted_at", "-pk").values_list("pk", flat=True))

    def newer() -> None:
        make_key(bybit_bot, KeyStatus.REFUSED, "newr", -timedelta(hours=1))

    onwards = walk(desk, "?status__exact=refused", "Next", between=newer)
    assert [pk for page in onwards for pk in page] == wanted
    assert [len(page) for page in onwards] == [4, 4, 4, 4, 3]
    last = addresses(desk.get(KEYS).content.decode())["Last"]
    back = walk(desk, last, "Previous")
    everything = list(ApiKey.objects.order_by("-submitted_at", "-pk").values_list("pk", flat=True))
    assert [pk for page in reversed(back) for pk in page] == everything


@pytest.mark.parametrize(
    "place", ["after.", "after.bm8", "before.WyJ4IiwieSJd", "after.W251bGwsbnVsbF0", "7", "."]
)
def test_it_takes_an_unreadable_place_for_the_first_page(desk: Client, binance_bot: Bot, place: str) -> None:
    key = make_key(binance_bot, KeyStatus.REFUSED, "abcd", timedelta(0))
    answer = desk.get(KEYS, {"p": place})
    assert [found.pk for found in answer.context["cl"].result_list] == [key.pk]


def test_it_takes_no_lookup_from_an_address_that_no_link_has(desk: Client, binance_bot: Bot) -> None:
    make_key(binance_bot, KeyStatus.ACTIVE, "abcd", timedelta(0))
    for path, lookup in (
        ("/admin/accounts/user/", "password__startswith"),
        (KEYS, "fingerprint__startswith"),
        (KEYS, "sealed__isnull"),
        ("/admin/apikeys/bot/", "customer__password__startswith"),
    ):
        answer = desk.get(path, {lookup: "a"})
        assert answer.status_code == 400, lookup
    assert desk.get(KEYS, {"bot__exact": binance_bot.pk}).context["cl"].result_count == 1


def test_it_says_how_many_rows_each_option_of_a_filter_has(
    desk: Client, binance_bot: Bot, bybit_bot: Bot
) -> None:
    for bot, status in (
        (binance_bot, KeyStatus.ACTIVE),
        (binance_bot, KeyStatus.REFUSED),
        (bybit_bot, KeyStatus.REFUSED),
    ):
        make_key(bot, status, "abcd", timedelta(0), exchange=bot.exchange)
    page = desk.get(KEYS).content.decode()
    assert "Refused (2)" in page
    assert "Bybit (1)" in page
    page = desk.get(KEYS, {"exchange__exact": "bybit"}).content.decode()
    assert "Refused (1)" in page
    assert "Active (0)" in page
    assert "Binance (2)" in page  # its own filter does not count for it


def test_it_sorts_lists_only_by_what_an_index_begins_with_and_is_never_null() -> None:
    for model, shown in admin.site._registry.items():
        pk = model._meta.pk.name
        leading = {pk} | {field.name for field in model._meta.fields if field.unique}
        for index in model._meta.indexes:
            leading |= _first_of(index)
        wanted = {name.lstrip("-") for name in (*(shown.sortable_by or ()), *(shown.ordering or ()))} - {"pk"}
        # Few rows: as many as there are exchanges, acts on many rows, and what customers asked for.
        if model._meta.model_name not in ("exchangestate", "job", "botrequest"):
            assert wanted <= leading, model
        for name in wanted:
            field = model._meta.get_field(name)
            assert isinstance(field, Field)
            assert not field.null


def _first_of(index: Index) -> set[str]:
    return {index.fields[0].lstrip("-")} if index.fields else set()  # an expression orders nothing here


def test_it_asks_the_database_at_most_fifteen_times_for_a_list(desk: Client) -> None:
    filling.fill(keys=150, customers=30, sealed=False)
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for query in ("", "?p=last", "?q=ada", "?o=-1.2"):
            with CaptureQueriesContext(
                connection,
            ) as statements:
                assert desk.get(path + query).status_code == 200
            assert len(statements) <= MOST_STATEMENTS, (path, query, [s["sql"][:90] for s in statements])
            read = "".join(statement["sql"] for statement in statements)
            assert '"sealed"' not in read, (path, query)
            if "q=" not in query:  # a search may ask whether more people match than are looked at first
                assert "OFFSET" not in read


def test_a_column_shows_a_field_as_django_does(desk: Client) -> None:
    filling.fill(keys=60, customers=12, sealed=False)
    request = RequestFactory().get("/")
    request.user = User.objects.get(email="lead@sequence.example")
    compared = 0
    for model, shown in admin.site._registry.items():
        for row in model._default_manager.all()[:20]:
            for column in shown.get_list_display(request):
                if not callable(column) or getattr(column, "admin_order_field", "") != column.__name__:
                    continue
                field = model._meta.get_field(column.__name__)
                assert isinstance(field, Field)
                if isinstance(field, JSONField):  # told in words
                    continue
                by_django = display_for_field(getattr(row, field.name), field, "-")
                assert display_for_value(column(row), "-") == by_django, (model, field.name)
                assert label_for_field(column, model) == label_for_field(field.name, model)
                compared += 1
    assert compared > 400


def test_what_leads_back_to_a_list_keeps_what_it_is_narrowed_to(desk: Client) -> None:
    filling.fill(keys=60, customers=12, sealed=False)
    narrowed = "/admin/notifications/mail/?kind__exact=api_connected&o=-6"
    row = re.search(r'<th class="field-kind"><a href="([^"]+)"', desk.get(narrowed).content.decode())
    assert row is not None
    page = desk.get(html.unescape(row[1])).content.decode()
    back = re.search(r'<a href="([^"]+)" class="closelink"', page)
    assert back is not None
    assert html.unescape(back[1]) == narrowed


def test_it_leads_from_a_mail_to_its_person_for_those_who_may_see_people() -> None:
    filling.fill(keys=20, customers=4, sealed=False)
    to_people = re.compile(r"/admin/accounts/user/\d+/change/")
    for role in Role:
        listed = signed_in(make_staff(role)).get("/admin/notifications/mail/").content.decode()
        assert bool(to_people.search(listed)) is (role is not Role.OPERATIONS)


def test_it_forgets_a_place_when_filters_change(desk: Client) -> None:
    filling.fill(keys=120, customers=20, sealed=False)
    page = desk.get(KEYS).content.decode()
    at = addresses(page)["Next"]
    assert "p" in parse_qs(at.lstrip("?"))
    page = desk.get(KEYS + at).content.decode()
    filters = page.split('id="changelist-filter"')[1]
    assert "p=after" not in filters
    assert keyset.parse("last", []) == keyset.LAST


def test_rows_are_written_as_django_writes_them(desk: Client) -> None:
    filling.fill(keys=60, customers=12, sealed=False)
    compared = set()
    for model in admin.site._registry:
        shown = desk.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/").context["cl"]
        for row, written in zip(shown.result_list, rows.rows(shown), strict=True):
            assert written == f"<tr>{''.join(items_for_result(shown, row, None))}</tr>"
            compared.add(model)
    assert len(compared) > 5
