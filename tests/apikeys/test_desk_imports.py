"""Customers added and imported at the desk."""

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from accounts.roles import Role
from apikeys.models import ApiKey, Bot, KeyCheck
from apikeys.status import KeyStatus
from notifications.models import Mail
from tests.apikeys.rows import make_key
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db
IMPORT, ADD = "/admin/accounts/user/import/", "/admin/accounts/user/new/"
HEAD = "client_id,name,email,bot_id,exchange,market\n"
JANE = "0x9F9 / JaneDoe,Jane Doe,jane@example.com,0x9F9 / JaneDoe / BTC-1,binance,spot\n"
BROKEN = "0x9F8 / JohnDoe,John Doe,no address,0x9F8 / JohnDoe / BTC-1,binance,spot\n"


@pytest.fixture
def desk(db: None) -> Client:
    return signed_in(make_staff(Role.SUPPORT))


def sent(desk: Client, text: str, **fields: str) -> str:
    file = io.BytesIO(text.encode())
    file.name = "customers.csv"
    return desk.post(IMPORT, {"file": file, "act": "preview", **fields}).content.decode()


def test_it_shows_what_a_file_changes_and_keeps_it_only_when_told(desk: Client) -> None:
    page = sent(desk, "\ufeff" + HEAD + JANE, invite="on")
    assert "new customer 0x9F9 / JaneDoe, jane@example.com" in page
    assert "new bot 0x9F9 / JaneDoe / BTC-1 at binance, spot" in page
    assert not User.objects.filter(client_id__isnull=False).exists()
    desk.post(IMPORT, {"text": HEAD + JANE, "act": "import", "invite": "on"})
    customer = User.objects.get(client_id="0x9F9 / JaneDoe")
    assert Bot.objects.get().customer == customer
    assert Mail.objects.filter(owner_id=customer.pk, kind="welcome").count() == 1
    events = AuditEvent.objects.filter(customer=customer).order_by("pk")
    found = list(events.values_list("verb", "actor_kind"))
    assert found == [("imported", "staff"), ("bot_launched", "staff")]
    assert "nothing changes" in sent(desk, HEAD + JANE)


def test_the_list_of_people_leads_to_both_for_those_who_may(desk: Client) -> None:
    page = desk.get("/admin/accounts/user/").content.decode()
    others = signed_in(make_staff(Role.AUDITOR, "a@staff.example")).get("/admin/accounts/user/")
    for address in (ADD, IMPORT):
        assert f'href="{address}"' in page
        assert f'href="{address}"' not in others.content.decode()


def test_it_names_each_bad_line_and_keeps_nothing(desk: Client) -> None:
    page = sent(desk, HEAD + JANE + BROKEN)
    assert "line 3: &#x27;no address&#x27; is no email address." in page
    assert 'value="import"' not in page
    answer = desk.post(IMPORT, {"text": HEAD + JANE + BROKEN, "act": "import"})
    assert "line 3:" in answer.content.decode()
    assert not User.objects.filter(client_id__isnull=False).exists()


def test_it_takes_no_file_that_it_cannot_read_or_answer_in_time(desk: Client) -> None:
    assert "Choose a file." in desk.post(IMPORT, {"act": "preview"}).content.decode()
    assert "more than 2,000 rows" in sent(desk, HEAD + JANE * 2002)
    latin = io.BytesIO("client_id,näme".encode("latin-1"))
    assert "not UTF-8" in desk.post(IMPORT, {"file": latin, "act": "preview"}).content.decode()


def test_it_adds_one_customer_and_says_what_is_taken(desk: Client, alice: User) -> None:
    fields = {"client_id": "0x9f9/JaneDoe", "name": "Jane", "email": "jane@example.com", "invite": "on"}
    taken = desk.post(ADD, fields | {"client_id": "0x1a2 / alicedoe"}).content.decode()
    assert "Another customer has this User ID." in taken
    taken = desk.post(ADD, fields | {"email": "ALICE@example.com"}).content.decode()
    assert "the address of another person" in taken
    assert 'value="Jane"' in taken
    answer = desk.post(ADD, fields)
    customer = User.objects.get(client_id="0x9f9 / JaneDoe")
    assert answer["Location"] == f"/admin/accounts/user/{customer.pk}/change/"
    assert Mail.objects.get(owner_id=customer.pk).kind == "welcome"
    assert not customer.has_usable_password()


def test_it_moves_a_bot_without_a_key_to_another_exchange_with_an_event(
    desk: Client, alice: User, binance_bot: Bot
) -> None:
    row = f"{alice.client_id},Alice,{alice.email},{binance_bot.bot_id},kraken,spot\n"
    desk.post(IMPORT, {"text": HEAD + row, "act": "import"})
    binance_bot.refresh_from_db()
    assert binance_bot.exchange == "kraken"
    assert AuditEvent.objects.get(customer=alice).verb == "bot_changed"


def test_an_ended_key_keeps_the_exchange_that_it_was_of(
    desk: Client, alice: User, binance_bot: Bot, as_alice: Client
) -> None:
    key = make_key(binance_bot, KeyStatus.RETIRED, "mB9x", timedelta(days=2))
    before_that = make_key(binance_bot, KeyStatus.REVOKED, "old1", timedelta(days=9))
    ApiKey.objects.filter(pk=before_that.pk).update(exchange="")  # of a time when it was not written down
    KeyCheck.objects.create(
        key=key, started_at=key.submitted_at, finished_at=key.submitted_at, outcome="accepted"
    )
    row = f"{alice.client_id},Alice,{alice.email},{binance_bot.bot_id},kraken,spot\n"
    desk.post(IMPORT, {"text": HEAD + row, "act": "import"})
    page = desk.get(f"/admin/apikeys/apikey/{key.pk}/change/").content.decode()
    assert "What Binance said" in page
    assert "Kraken" not in page
    own = as_alice.get(f"/keys/{key.pk}/").content.decode()
    assert "Binance" in own
    assert "Kraken" not in own
    lead = signed_in(make_staff(Role.LEAD, "lea@sequence.example"))
    answer = lead.post("/admin/apikeys/apikey/export/", {"reason": "Ticket 4711"})
    rows = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline=""))
    assert {row["last_four"]: row["exchange"] for row in rows} == {"mB9x": "binance", "old1": "kraken"}


def test_it_takes_no_bot_id_that_begins_with_the_user_id_of_somebody_else(
    desk: Client, alice: User, bob: User
) -> None:
    row = f"{bob.client_id},Bob,{bob.email},0x1A2 / AliceDoe / ZZ-1,kraken,spot\n"
    right = f"{bob.client_id},Bob,{bob.email},0x2b3/BOBROE/ZZ-1,kraken,spot\n"
    for act in ("preview", "import"):
        page = desk.post(IMPORT, {"text": HEAD + row, "act": act}).content.decode()
        assert "line 2: bot_id must begin with 0x2B3 / BobRoe / and then have a name." in page
    assert not Bot.objects.exists()
    desk.post(IMPORT, {"text": HEAD + right, "act": "import"})
    assert Bot.objects.get().bot_id == "0x2B3 / BobRoe / ZZ-1"
