"""Two agents who add the same customer or the same bot at one moment: one does, and the other is told."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.flows.add_customer import add_customer
from accounts.models import AuditEvent, User
from accounts.roles import Role
from apikeys.models import Bot
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

IMPORT, ADD = "/admin/accounts/user/import/", "/admin/accounts/user/new/"
HEAD = "client_id,name,email,bot_id,exchange,market\n"
# Seconds within which the second one has looked and waits for the first. It finds nothing by looking.
_LOOKED = 0.7


@pytest.fixture
def desk() -> Client:
    return signed_in(make_staff(Role.SUPPORT))


def second_at_once(first: Callable[[], object], second: Callable[[], str]) -> str:
    """What the second is answered, begun before the first one's transaction ended."""
    begun = threading.Event()

    def run() -> str:
        begun.set()
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            first()
            answer = threads.submit(run)
            begun.wait(10)
            threading.Event().wait(_LOOKED)
        return answer.result(20)


@pytest.mark.parametrize(
    ("client_id", "email", "told"),
    [
        ("0x9F9/JANEDOE", "other@example.com", "Another customer has this User ID."),
        ("0x9F8 / JaneToo", "JANE@example.com", "This is the address of another person."),
    ],
)
def test_it_tells_the_second_who_adds_a_customer(desk: Client, client_id: str, email: str, told: str) -> None:
    page = second_at_once(
        lambda: add_customer(client_id="0x9F9 / JaneDoe", name="Jane", email="jane@example.com"),
        lambda: desk.post(ADD, {"client_id": client_id, "name": "Jane", "email": email}).content.decode(),
    )
    assert told in page
    assert User.objects.filter(client_id__isnull=False).count() == 1
    assert AuditEvent.objects.filter(verb="imported").count() == 1


def test_it_tells_the_second_who_imports(desk: Client) -> None:
    file = f"{HEAD}0x9F9 / JaneDoe,Jane,jane@example.com,0x9F9 / JaneDoe / BTC-1,binance,spot\n"

    def send() -> str:
        return desk.post(IMPORT, {"text": file, "act": "import"}).content.decode()

    page = second_at_once(
        lambda: add_customer(client_id="0x9F9 / JaneDoe", name="Jane", email="other@example.com"), send
    )
    assert "line 2: 0x9F9 / JaneDoe " in page
    jane = User.objects.get(client_id="0x9F9 / JaneDoe")
    other = User.objects.create_user("other2@example.com", client_id="0x9F8 / JohnDoe")
    User.objects.filter(pk=jane.pk).update(email="jane@example.com")
    bot = {"bot_id": "0x9F9 / JaneDoe / BTC-1", "exchange": "binance", "market": "spot"}
    page = second_at_once(lambda: Bot.objects.create(customer=other, **bot), send)
    assert "line 2: bot 0x9F9 / JaneDoe / BTC-1 " in page
    assert Bot.objects.get().customer == other
