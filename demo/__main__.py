"""Starts the demo, each process by itself, and ends all of it together. `make run` calls this."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

from demo import screen
from demo.environment import (
    BASE_DIR,
    ENGINE,
    ENGINE_PUBLIC,
    FOR_THE_SEED,
    LOG_DIR,
    LOOPBACK,
    VAR_DIR,
    Addresses,
    DemoError,
    addresses,
    engine_secrets,
    for_every_process,
    for_the_chore_worker,
    for_the_engine,
    for_what_opens_secrets,
    own_secrets,
)
from demo.processes import Child, Children, Stopped, answers, says


def main() -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    children = Children(stop)
    try:
        at = addresses(os.environ)
        LOG_DIR.mkdir(parents=True, exist_ok=True)
        with only_one_demo():
            preflight(at)
            start_everything(at, children)
            children.watch_for_ever()
    except Stopped:
        screen.say("\nEnding all processes.")
    except DemoError as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        children.end()
    return 0


@contextlib.contextmanager
def only_one_demo() -> Iterator[None]:
    """Two demos over one database and broker would take each other's tasks and mail."""
    with (VAR_DIR / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError("make run is already running in this folder.") from None
        yield


def preflight(at: Addresses) -> None:
    for port, who in at.wanted.items():
        with socket.socket() as probe:
            # As the servers themselves do: a port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as problem:
                raise DemoError(
                    f"Port {port} is wanted by {who} and cannot be had ({problem.strerror}). "
                    f"End what holds it, or take others: PORTAL_URL=http://{LOOPBACK}:{at.web + 100} make run"
                ) from None


def start_everything(at: Addresses, children: Children) -> None:
    made = own_secrets()
    engine = engine_secrets() if os.environ.get(ENGINE) else None
    common = for_every_process(os.environ, at, made)
    if engine:
        common |= {ENGINE_PUBLIC: engine[ENGINE_PUBLIC]}
    opens = common | for_what_opens_secrets(os.environ, made)
    chores = common | for_the_chore_worker(os.environ, made)
    # What stands for other companies' machines knows no secret of ours.
    helpers = {name: value for name, value in common.items() if name not in made.keys() | {ENGINE_PUBLIC}}
    # The embedded broker is only a bell; what it lost or kept too long, the schedule finds in the database.
    shutil.rmtree(VAR_DIR / "broker", ignore_errors=True)

    screen.say("Preparing the database and the static files.")
    children.run("migrate", python("manage.py", "migrate", "--verbosity=0"), common)
    children.run("collectstatic", python("manage.py", "collectstatic", "--noinput", "--verbosity=0"), common)

    screen.say("Starting the portal, its workers, the simulated exchange and the mailbox.")
    simulator = python("-m", "tests.exchange_simulator", "--port", str(at.exchange))
    sink = python("-m", "tests.mail_sink", "--smtp-port", str(at.smtp), "--http-port", str(at.mailbox))
    waiting: list[tuple[Child, Callable[[Child], bool]]] = [
        (children.start("The simulated exchange", simulator, helpers), listens(at.exchange)),
        (children.start("The mail sink", sink, helpers), answers(at.url(at.mailbox))),
        (children.start("The web server", web(at), common), answers(f"{at.url(at.web)}/sign-in/")),
        (children.start("The check worker", worker("checks"), opens), says(" ready.")),
        (children.start("The sweep worker", worker("sweeps"), opens), says(" ready.")),
        (children.start("The mail worker", worker("mail,chores", *SCHEDULE), chores), says(" ready.")),
    ]
    for child, ready in waiting:
        children.wait_until_ready(child, ready)
    if engine:
        token = children.read("engine token", python("-m", "demo.engine_token"), common)
        environ = for_the_engine(os.environ, at, engine, token)
        client = children.start("The engine client", python(ENGINE_CLIENT), environ)
        children.wait_until_ready(client, says(" ready."))

    children.run("seed", python("-m", "demo.seed"), common | {name: made[name] for name in FOR_THE_SEED})
    screen.show(at, made, engine=engine is not None)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def web(at: Addresses) -> list[str]:
    return python("-m", "gunicorn", "--bind", f"{LOOPBACK}:{at.web}", "--workers=2", WSGI)


def worker(queues: str, *more: str) -> list[str]:
    """Threads, since a task waits for an exchange, a mail server or the database nearly all of its time."""
    name = queues.partition(",")[0]
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    pool = ("--pool=threads", "--concurrency=4")
    return python(
        "-m", "celery", "-A", "sequence_portal", "worker", "-Q", queues, "-n", name, *pool, *alone, *more
    )


def listens(port: int) -> Callable[[Child], bool]:
    def connect(_: Child) -> bool:
        try:
            socket.create_connection((LOOPBACK, port), timeout=2).close()
        except OSError:
            return False
        return True

    return connect


WSGI = "sequence_portal.wsgi"
ENGINE_CLIENT = str(BASE_DIR / "docs" / "engine-client" / "engine_client.py")
# This scheduler keeps no file: the database knows when something was last done.
SCHEDULE = ("-B", "--scheduler", "celery.beat:Scheduler")

if __name__ == "__main__":
    sys.exit(main())
