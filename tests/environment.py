"""The environment of the tests, set before Django reads its settings: called first by `tests.settings`.

Keys are drawn afresh for every run, and handed on to the processes that tests start.
"""

import base64
import hashlib
import os
import secrets
import tempfile
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

_NOT_OURS = (
    "ALLOWED_HOSTS",
    "DJANGO_DEBUG",
    "DNS_SERVERS",
    "EXCHANGE_BASE_URLS",
    "METRICS_TOKEN",
    "ENGINE_PUBLIC_KEYS",
    "PARTNER_APPS",
    "PORTAL_URL",
    "SENTRY_DSN",
    "TRUSTED_PROXIES",
)
_PREPARED_FOR = "PORTAL_TEST_WORKER"


def _seal_pair() -> tuple[str, str]:
    """As `apikeys.vault.generate_pair`, which cannot be imported before the settings are there."""
    mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    private = mlkem.private_bytes_raw() + x25519.private_bytes_raw()
    key_id = hashlib.sha256(public).hexdigest()[:8]
    return tuple(
        f"{key_id}:{base64.urlsafe_b64encode(raw).decode().rstrip('=')}" for raw in (private, public)
    )  # type: ignore[return-value]


def _part_from_other_workers(number: int) -> None:
    """Tests run by several workers at once share no folder and no Redis database."""
    os.environ["PORTAL_TEST_DIR"] = tempfile.mkdtemp(prefix="portal-test-")
    url = urlsplit(os.environ.get("REDIS_URL", ""))
    if url.hostname:
        database = int(url.path.strip("/") or 0) + number
        os.environ["REDIS_URL"] = url._replace(path=f"/{database}").geturl()


def prepare() -> None:
    """Set everything, once. Processes that a test starts get just what it hands them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if os.environ.get(_PREPARED_FOR) == worker or ("PORTAL_TEST_DIR" in os.environ and not worker):
        return
    if worker:
        _part_from_other_workers(int(worker.removeprefix("gw")))
    os.environ[_PREPARED_FOR] = worker
    private, public = _seal_pair()
    wanted = {
        "PORTAL_TEST_DIR": os.environ.get("PORTAL_TEST_DIR") or tempfile.mkdtemp(prefix="portal-test-"),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SEAL_PUBLIC_KEYS": public,
        "SEAL_PRIVATE_KEYS": private,
        "FINGERPRINT_KEY": secrets.token_urlsafe(32),
        "CODE_KEY": secrets.token_urlsafe(32),
        "AUDIT_KEY": secrets.token_urlsafe(32),
        "EMAIL_URL": "smtp://127.0.0.1:2525",
        "PORTAL_EGRESS_IPS": "203.0.113.10",
    }
    # Whatever else the shell has set for a portal of its own must not decide what is tested.
    for name in _NOT_OURS:
        os.environ.pop(name, None)
    os.environ.update(wanted)
