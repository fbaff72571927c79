"""Customers and bots from a CSV file."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, PrimaryMailDevice, User
from apikeys.exchanges.base import Credentials
from apikeys.flows.submit import submit
from apikeys.models import Bot
from notifications.models import Mail
from notifications.render import render_stored

pytestmark = pytest.mark.django_db

HEAD = "client_id,name,email,bot_id,exchange,market\n"
JANE = "0x1A2 / JaneDoe,Jane Doe,jane@example.com,0x1A2 / JaneDoe / BTC-1,binance,spot\n"
JANE_TOO = "0x1a2/janedoe,Jane Doe,JANE@example.com,0x1A2/JaneDoe/ETH-2,bybit,derivatives\n"


def run(tmp_path: Path, text: str, *options: str) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(text.encode())
    call_command("import_customers", str(file), *options)


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(tmp_path, text)
    return str(caught.value)


def test_it_takes_one_row_a_bot_and_forgives_spaces_case_and_a_byte_order_mark(tmp_path: Path) -> None:
    run(tmp_path, "\ufeff" + HEAD + JANE + JANE_TOO)
    jane = User.objects.get()
    assert (jane.client_id, jane.email) == ("0x1A2 / JaneDoe", "jane@example.com")
    assert sorted(Bot.objects.values_list("bot_id", "exchange", "market", "customer")) == [
        ("0x1A2 / JaneDoe / BTC-1", "binance", "spot", jane.pk),
        ("0x1A2 / JaneDoe / ETH-2", "bybit", "derivatives", jane.pk),
    ]
    assert not jane.has_usable_password()
    assert PrimaryMailDevice.objects.filter(user=jane).exists()
    verbs = AuditEvent.objects.order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["imported", "bot_launched", "bot_launched"]


def test_it_changes_nothing_the_second_time(tmp_path: Path) -> None:
    run(tmp_path, HEAD + JANE + JANE_TOO, "--invite")
    before = (list(User.objects.values()), list(Bot.objects.values()), Mail.objects.count())
    run(tmp_path, HEAD + JANE + JANE_TOO, "--invite")
    assert (list(User.objects.values()), list(Bot.objects.values()), Mail.objects.count()) == before


def test_it_invites_each_new_customer_once_with_all_bots(tmp_path: Path) -> None:
    run(tmp_path, HEAD + JANE + JANE_TOO, "--invite")
    mail = Mail.objects.get()
    assert mail.kind == "welcome"
    for words in ("0x1A2 / JaneDoe", "BTC-1", "ETH-2"):
        assert words in render_stored(mail).text


def test_it_keeps_nothing_of_a_file_with_a_bad_row_and_names_each(tmp_path: Path) -> None:
    bad = JANE_TOO.replace("bybit", "mtgox") + "a,b,c\n" + JANE_TOO.replace("JANE@example.com", "no address")
    told = problems(tmp_path, HEAD + JANE + bad)
    assert "line 3: exchange 'mtgox' is not offered" in told
    assert "line 4: it has not 6 columns" in told
    assert "line 5: 'no address' is no email address" in told
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("jane@example.com", "new@example.com"), "Change the primary address"),
        (
            ("0x1A2 / JaneDoe,Jane Doe,jane@", "0x2B3 / BobRoe,Bob Roe,bob@"),
            "Give the bot to another customer",
        ),
        (("0x1A2 / JaneDoe,", "0x9 / Other,"), "is the address of another person"),
        (("spot", "futures"), "market 'futures' is not offered"),
    ],
)
def test_it_names_the_act_of_the_desk_for_what_a_file_may_not_change(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    run(tmp_path, HEAD + JANE)
    assert told in problems(tmp_path, HEAD + JANE.replace(*change))


def test_it_changes_the_market_only_of_a_bot_without_a_live_key(tmp_path: Path) -> None:
    run(tmp_path, HEAD + JANE)
    run(tmp_path, HEAD + JANE.replace("spot", "derivatives"))
    bot = Bot.objects.get()
    assert bot.market == "derivatives"
    submit(
        bot=bot,
        customer=bot.customer,
        credentials=Credentials("a" * 64, "b" * 64),
        trimmed=False,
        replaces=None,
        address="192.0.2.1",
    )
    assert "Revoke the key" in problems(tmp_path, HEAD + JANE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "columns"),
        ("client_id,name\nx,y\n", "columns bot_id"),
        (HEAD + '"open quote\n', "not CSV"),
        ('"client_id,x\n', "not CSV"),
    ],
)
def test_it_says_what_is_wrong_with_a_file_that_is_no_list_of_customers(
    tmp_path: Path, text: str, told: str
) -> None:
    assert told in problems(tmp_path, text)


def test_it_says_that_a_file_is_not_utf_8_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes((HEAD + "Zoë").encode("latin-1"))
    for path, told in ((file, "not UTF-8"), (tmp_path / "none.csv", "cannot be read")):
        with pytest.raises(CommandError, match=told):
            call_command("import_customers", str(path))


def test_it_forgives_spaces_in_the_head(tmp_path: Path) -> None:
    run(tmp_path, HEAD.replace(",", ", ") + JANE)
    assert Bot.objects.count() == 1


def test_it_refuses_an_address_that_no_mail_can_carry(tmp_path: Path) -> None:
    long = f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.com"
    assert "email must have at most 254" in problems(tmp_path, HEAD + JANE.replace("jane@example.com", long))
