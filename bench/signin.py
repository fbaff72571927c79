"""Database statements of a sign-in, as the web process sends them: both posts and the page they lead to.

What the mail worker does between the two posts is not counted, nor are BEGIN, COMMIT and savepoints. The two
forms before the posts are shown beside, and not part of the figure.
"""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment

from accounts.models import MailedCode
from accounts.tasks import mail_code
from bench import stage
from sequence_portal.celery import app


class Answered(Protocol):
    status_code: int


COUNTED = ("password sent", "code sent", "the bots")
_FRAME = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)


def measure() -> Mapping[str, float]:
    setup_test_environment()  # mails stay in this process, where the code is read
    app.conf.update(broker_url="memory://localhost")  # bells that nobody hears
    with stage.fresh_database():
        customer = stage.make_customer()
        stage.make_bot(customer, "BTC-1")
        stage.make_bot(customer, "ETH-2", "bybit", "derivatives")
        counts = sign_in(Client())
    for step, count in counts.items():
        print(f"  {count:3} {step}")
    print(f"  on {connection.vendor}")
    return {"signin_statements": sum(counts[step] for step in COUNTED)}


def sign_in(client: Client) -> dict[str, int]:
    password = {"email": stage.EMAIL, "password": stage.PASSWORD}
    counts = {
        "the form": statements(lambda: client.get("/sign-in/"), 200),
        "password sent": statements(lambda: client.post("/sign-in/", password), 302),
    }
    mail_code(str(MailedCode.objects.get().pk))
    code = {"code": stage.code_in(str(mail.outbox[-1].body))}
    return counts | {
        "the form for the code": statements(lambda: client.get("/sign-in/code/"), 200),
        "code sent": statements(lambda: client.post("/sign-in/code/", code), 302),
        "the bots": statements(lambda: client.get("/"), 200),
    }


def statements(visit: Callable[[], Answered], expected: int) -> int:
    with CaptureQueriesContext(connection) as seen:
        answer = visit()
    if answer.status_code != expected:
        raise RuntimeError(f"Answered with {answer.status_code} instead of {expected}")
    return sum(not _FRAME.match(query["sql"]) for query in seen.captured_queries)
