"""A fresh code or factor is asked for before what must not be done with a session that was found open."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from tests.accounts.test_sign_in import latest_code
from tests.apikeys.rows import make_key
from tests.authenticators import add_app, code_of
from tests.conftest import signed_in
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db


def stay_until(client: Client, minutes: int, begun: datetime) -> None:
    """Somebody who looks at a page now and then, so that the session does not end."""
    for minute in range(40, minutes, 40):
        with time_machine.travel(begun + timedelta(minutes=minute), tick=False):
            assert client.get("/").status_code == 200


def credentials(bot: Bot) -> dict[str, str]:
    key = DEMO_KEYS[bot.exchange]["good"]
    return {"api_key": key.api_key, "secret": key.secret}


def test_it_asks_for_a_mailed_code_before_the_key_form_opens_an_hour_after_sign_in(
    as_alice: Client, binance_bot: Bot, mail_sink: MailSink
) -> None:
    begun = timezone.now()
    form = f"/bots/{binance_bot.pk}/key/"
    stay_until(as_alice, 61, begun)
    with time_machine.travel(begun + timedelta(minutes=59), tick=False):
        assert as_alice.get(form).status_code == 200
    with time_machine.travel(begun + timedelta(minutes=61)):
        asked = as_alice.get(form)["Location"]
        assert asked == f"/security/confirm/?next={form.replace('/', '%2F')}"
        assert "Mail me a code" in as_alice.get(asked).content.decode()
        code_page = as_alice.post(asked)["Location"]
        assert "not right" in as_alice.post(code_page, {"code": "000000"}).content.decode()
        answer = as_alice.post(code_page, {"code": latest_code(mail_sink)})
        assert answer["Location"] == form
        assert as_alice.get(form).status_code == 200


def test_it_takes_what_is_sent_from_a_form_that_was_opened_in_time(
    as_alice: Client, binance_bot: Bot
) -> None:
    begun = timezone.now()
    form = f"/bots/{binance_bot.pk}/key/"
    stay_until(as_alice, 50, begun)
    with time_machine.travel(begun + timedelta(minutes=59), tick=False):
        assert as_alice.get(form).status_code == 200
    with time_machine.travel(begun + timedelta(minutes=118), tick=False):
        wrong = as_alice.post(form, {"api_key": "x", "secret": "y"})
        assert "There is a problem" in wrong.content.decode()
        assert as_alice.post(form, credentials(binance_bot))["Location"].startswith("/keys/")


def test_it_takes_no_key_where_no_form_was_opened_in_time(as_alice: Client, binance_bot: Bot) -> None:
    begun = timezone.now()
    stay_until(as_alice, 80, begun)
    with time_machine.travel(begun + timedelta(minutes=81), tick=False):
        form = f"/bots/{binance_bot.pk}/key/"
        for _ in range(2):
            asked = as_alice.post(form, credentials(binance_bot))
            assert asked["Location"].startswith("/security/confirm/")
    assert not ApiKey.objects.exists()


def test_it_asks_before_a_key_is_taken_back_and_leads_back_to_its_page(
    as_alice: Client, binance_bot: Bot
) -> None:
    key = make_key(binance_bot, KeyStatus.CHECKING, "mB9x", timedelta(0))
    begun = timezone.now()
    stay_until(as_alice, 61, begun)
    with time_machine.travel(begun + timedelta(minutes=61), tick=False):
        asked = as_alice.post(f"/keys/{key.pk}/take-back/")
    assert asked["Location"] == f"/security/confirm/?next=%2Fkeys%2F{key.pk}%2F"
    assert ApiKey.objects.get().status == KeyStatus.CHECKING


def test_it_takes_the_factor_and_no_mailed_code_from_who_has_one(
    alice: User, binance_bot: Bot, mail_sink: MailSink
) -> None:
    begun = timezone.now()
    client = signed_in(alice, by_mail_alone=True)
    form = f"/bots/{binance_bot.pk}/key/"
    asked = client.get(form)
    assert asked.status_code == 200
    code_page = client.post("/security/confirm/?next=/")["Location"]
    code = latest_code(mail_sink)
    app = add_app(alice)  # while the code was on its way
    client.post(code_page, {"code": code})
    assert client.get(form)["Location"].startswith("/security/confirm/"), "the code counts no more"
    page = client.get("/security/confirm/").content.decode()
    assert "Mail me a code" not in page
    assert "authenticator app" in page
    wrong = f"{(int(code_of(app)) + 500_000) % 1_000_000:06d}"
    assert "not right" in client.post("/security/confirm/", {"code": wrong}).content.decode()
    assert client.post(f"/security/confirm/?next={form}", {"code": code_of(app)})["Location"] == form
    with time_machine.travel(begun + timedelta(minutes=58), tick=False):
        assert client.get(form).status_code == 200


def test_it_leads_to_no_other_site(alice: User) -> None:
    app = add_app(alice)
    client = signed_in(alice)
    for onward in ("https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"):
        app.refresh_from_db()
        app.last_step = -1
        app.save()
        answer = client.post(f"/security/confirm/?next={onward}", {"code": code_of(app)})
        assert answer["Location"] == "/", onward


def test_it_takes_a_code_of_nobody_else(as_alice: Client, as_bob: Client, mail_sink: MailSink) -> None:
    code_page = as_alice.post("/security/confirm/?next=/")["Location"]
    code = latest_code(mail_sink)
    as_bob.cookies["attempt"] = as_alice.cookies["attempt"].value
    assert as_bob.post(code_page, {"code": code})["Location"].startswith("/security/confirm/?")
    assert as_alice.post(code_page, {"code": code})["Location"] == "/"
