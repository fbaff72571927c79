"""Whether time tells who is a customer: the same forms sent for people who exist and for people who do not.

Over HTTP to a real gunicorn, interleaved, each round in an order drawn anew, from addresses of their own so
that no limit answers instead. The mail worker does not run: what it does for those who exist is not in the
answer's time, though on one machine it takes from the next one's.
"""

import ipaddress
import random
import statistics
import time
from collections.abc import Callable, Mapping

from django.contrib.auth.hashers import make_password

from accounts.models import PrimaryMailDevice, User
from bench import stage
from bench.browser import Answer, Browser
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import WEB

SIGN_INS, HELPS = 100, 400
# The first requests of each web process load what later ones find loaded.
WARM_UP = 20
KNOWN, INVITED, UNKNOWN = "known", "invited, without a password", "unknown"

Send = Callable[[Browser, str, int], Answer]


def measure() -> Mapping[str, float]:
    with stage.fresh_database(), Simulator() as simulator, MailSink() as sink:
        make_people()
        with stage.portal(simulator, sink, WEB, TRUSTED_PROXIES="1") as stack:
            browser = Browser(stack.url)
            browser.get("/sign-in/")
            return {
                "enumeration_sign_in": difference("sign-in", browser, wrong_password, SIGN_INS),
                "enumeration_help": difference("password help", browser, ask_for_help, HELPS),
            }


def make_people() -> None:
    """Names as long as those of people who do not exist."""
    hashed, none = make_password(stage.PASSWORD), make_password(None)
    people = User.objects.bulk_create(
        User(email=email(who, number), client_id=client_id(who, number), password=password)
        for who, password in ((KNOWN, hashed), (INVITED, none))
        for number in range(HELPS + WARM_UP)
    )
    PrimaryMailDevice.objects.bulk_create(PrimaryMailDevice(user=user, name="primary") for user in people)


def email(who: str, number: int) -> str:
    return f"{who[0]}{number:05}@example.com"


def client_id(who: str, number: int) -> str:
    return f"0x{who[0]}{number:05} / Person"


def wrong_password(browser: Browser, who: str, number: int) -> Answer:
    return browser.post("/sign-in/", email=email(who, number), password="a wrong guess")  # noqa: S106


def ask_for_help(browser: Browser, who: str, number: int) -> Answer:
    return browser.post("/sign-in/help/", client_id=client_id(who, number), email=email(who, number))


def difference(what: str, browser: Browser, send: Send, rounds: int) -> float:
    """Of the medians, relative to that of unknown people; the larger one of both kinds that exist."""
    times: dict[str, list[float]] = {KNOWN: [], INVITED: [], UNKNOWN: []}
    looks = set[tuple[int, int]]()
    addresses = map(str, ipaddress.ip_network("10.0.0.0/8").hosts())
    for number in range(rounds + WARM_UP):
        for who in random.sample(list(times), len(times)):
            browser.address = next(addresses)
            begun = time.perf_counter()
            answer = send(browser, who, number)
            seconds = time.perf_counter() - begun
            looks.add((answer.status, len(answer.text)))
            if number >= WARM_UP:
                times[who].append(seconds)
    if len(looks) != 1:
        raise RuntimeError(f"Status and length tell who is a customer at {what}: {looks}")
    medians = {who: statistics.median(found) for who, found in times.items()}
    print(f"  {what}: " + ", ".join(f"{who} {1000 * found:.1f} ms" for who, found in medians.items()))
    return max(abs(medians[who] / medians[UNKNOWN] - 1) for who in (KNOWN, INVITED))
