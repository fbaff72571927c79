"""What stands in for functions of ccxt does the same, and hands back to ccxt what it does not do itself."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import ccxt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from apikeys.exchanges.base import Credentials
from apikeys.exchanges.client import signing
from apikeys.exchanges.client.signing import Signer
from apikeys.exchanges.registry import EXCHANGES
from tests.apikeys.exchanges.conftest import credentials
from tests.exchange_simulator.exchanges import EXCHANGES as SIMULATED

EACH = pytest.mark.parametrize("exchange", EXCHANGES)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
VALUE = TEXT | PRINTABLE | st.integers() | st.booleans() | st.floats() | st.none() | st.binary()


def own(exchange: str) -> Any:
    """The instance of ccxt that signs."""
    return Signer(exchange)._ccxt


@given(st.dictionaries(TEXT | PRINTABLE, VALUE), st.booleans())
@example({"".join(map(chr, range(128))): "".join(map(chr, range(128)))}, False)
@example({"a": True, "b": "Zürich 東京", "c": [1, "x y"], "d": -1.5, "e": "", "": "f"}, False)
@example({"several": ["a b", "c/d"], "one": "e=f&g"}, True)
def test_it_writes_a_query_as_ccxt_does(params: Mapping[str, Any], doseq: bool) -> None:
    assert signing._urlencode(params, doseq) == ccxt.Exchange.urlencode(params, doseq)


def test_half_a_character_is_no_part_of_a_query() -> None:
    with pytest.raises(UnicodeEncodeError):
        signing._urlencode({"a": "\ud800"})


@EACH
def test_it_misses_the_same_credentials_as_ccxt(exchange: str) -> None:
    signer = own(exchange)
    theirs = type(signer).check_required_credentials
    names = [name for name, needed in signer.requiredCredentials.items() if needed]
    assert names
    for name in names:
        setattr(signer, name, "something")
    assert signer.check_required_credentials() is theirs(signer) is True
    for name in names:
        setattr(signer, name, "")
        assert signer.check_required_credentials(False) is theirs(signer, False) is False
        with pytest.raises(ccxt.AuthenticationError):
            signer.check_required_credentials()
        setattr(signer, name, "something")


@EACH
@pytest.mark.parametrize("missing", ["api_key", "secret"])
def test_it_signs_nothing_without_the_whole_credential(exchange: str, missing: str) -> None:
    key = credentials(SIMULATED[exchange].fresh(0))
    parts = {"api_key": key.api_key, "secret": key.secret, "passphrase": key.passphrase, missing: ""}
    call = EXCHANGES[exchange].calls[0]
    assert Signer(exchange).sign(call, key) is not None
    assert Signer(exchange).sign(call, Credentials(**parts)) is None


@given(TEXT, st.dictionaries(TEXT, st.integers() | TEXT | st.lists(TEXT)))
def test_it_writes_and_signs_a_token_as_its_standard_says(key_id: str, claims: Mapping[str, Any]) -> None:
    token = signing._jwt(claims, PEM, opts={"alg": "ES256", "kid": key_id, "nonce": "n"})
    header, body, signature = token.split(".")
    assert json.loads(decoded(header)) == {"alg": "ES256", "typ": "JWT", "kid": key_id, "nonce": "n"}
    assert json.loads(decoded(body)) == claims
    r, s = decoded(signature)[:32], decoded(signature)[32:]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    KEY.public_key().verify(der, f"{header}.{body}".encode(), ec.ECDSA(hashes.SHA256()))


def decoded(part: str) -> bytes:
    """RFC 7515: the alphabet for addresses, without padding."""
    assert "=" not in part
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
