"""What one check of a good key sends and is answered, without a network."""

import json
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from apikeys import key_files
from apikeys.exchanges.adapter import Own, Reply
from apikeys.exchanges.base import Credentials
from apikeys.exchanges.client.signing import Signed, Signer
from apikeys.exchanges.registry import EXCHANGES
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED
from tests.exchange_simulator.model import Asked, Refusal


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One call, signed, and the body of its reply."""

    signed: Signed
    path: str
    body: bytes


def credentials(exchange: str) -> Credentials:
    key = SIMULATED[exchange].fresh(0)
    return Credentials(key.api_key, key.secret, key.passphrase)


def rehearse(exchange: str) -> list[Exchanged]:
    """In order. Raises RuntimeError where the key does not come through."""
    simulated, signer = SIMULATED[exchange], Signer(exchange)
    key = simulated.fresh(0)
    conversation = EXCHANGES[exchange].converse(Own(key.api_key, key_files.kind_of(key.secret)))
    found: list[Exchanged] = []
    try:
        call = next(conversation)
        while True:
            signed = signer.sign(call, credentials(exchange))
            if signed is None:
                raise RuntimeError(f"{exchange}: cannot be signed")
            url = urlsplit(signed.url)
            params = dict(parse_qsl(url.query))
            asked = Asked(
                *(signed.method, url.path, url.query, params, signed.headers),
                *(signed.body or "", simulated.hosts[0]),
            )
            reply = simulated.private[signed.method, url.path](key, asked)
            if isinstance(reply, Refusal):
                raise RuntimeError(f"{exchange}: refused at {url.path}")
            found.append(Exchanged(signed, url.path, json.dumps(reply).encode()))
            call = conversation.send(Reply(200, reply))
    except StopIteration:
        return found
