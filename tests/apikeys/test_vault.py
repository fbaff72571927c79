"""What is sealed opens in its own place, in a process that may, and nowhere else."""

import base64
import logging
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from pytest_django import Settings

from apikeys import vault
from apikeys.exchanges.base import Credentials
from apikeys.models import Bot
from apikeys.vault import SealError

SECRET = "Canary7secretOfThirtySixCharacters00"
CREDENTIALS = Credentials("CanaryKey000000001", SECRET, "a passphrase: ü, \" and \\, 'quoted'")
ROW, BOT, EXCHANGE = UUID(int=1), "0x1A2 / AliceDoe / BTC-1", "bybit"


def seal(row: UUID = ROW, bot: str = BOT, exchange: str = EXCHANGE) -> vault.Sealed:
    return vault.seal(CREDENTIALS, key_id=row, bot_id=bot, exchange=exchange)


def unseal(
    sealed: bytes, seal_id: str, row: UUID = ROW, bot: str = BOT, exchange: str = EXCHANGE
) -> Credentials:
    return vault.open_sealed(sealed, seal_id, key_id=row, bot_id=bot, exchange=exchange)


def test_it_opens_what_it_sealed() -> None:
    sealed = seal()
    assert unseal(sealed.ciphertext, sealed.seal_id) == CREDENTIALS
    assert unseal(memoryview(sealed.ciphertext), sealed.seal_id) == CREDENTIALS  # type: ignore[arg-type]


def test_it_seals_to_another_text_each_time_without_a_trace_of_the_plain_one() -> None:
    first, second = seal(), seal()
    assert first.ciphertext != second.ciphertext
    for value in (CREDENTIALS.api_key, CREDENTIALS.secret, CREDENTIALS.secret[:8]):
        assert value.encode() not in first.ciphertext


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"row": UUID(int=2)},
        {"bot": "0x1A2 / AliceDoe / BTC-2"},
        {"bot": "0x1a2 / AliceDoe / BTC-1"},
        {"exchange": "binance"},
        {"bot": f'{BOT}", "{EXCHANGE}', "exchange": ""},
    ],
)
def test_it_opens_nothing_in_another_place(elsewhere: dict[str, str]) -> None:
    sealed = seal()
    with pytest.raises(SealError, match="does not open"):
        unseal(sealed.ciphertext, sealed.seal_id, **elsewhere)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_it_opens_neither_of_two_rows_whose_ciphertexts_were_swapped(
    binance_bot: Bot, bybit_bot: Bot
) -> None:
    bots = (binance_bot, binance_bot, bybit_bot)
    rows = [(uuid4(), bot, seal(bot=bot.bot_id)) for bot in bots]
    rows = [(row, bot, seal(row, bot.bot_id, bot.exchange)) for row, bot, _ in rows]
    for row, bot, own in rows:
        for _, _, sealed in rows:
            if sealed is own:
                assert unseal(own.ciphertext, own.seal_id, row, bot.bot_id, bot.exchange) == CREDENTIALS
            else:
                with pytest.raises(SealError):
                    unseal(sealed.ciphertext, sealed.seal_id, row, bot.bot_id, bot.exchange)


def test_it_opens_nothing_that_was_altered_in_a_single_bit() -> None:
    sealed = seal()
    for place in range(len(sealed.ciphertext)):
        altered = bytearray(sealed.ciphertext)
        altered[place] ^= 1 << place % 8
        with pytest.raises(SealError):
            unseal(bytes(altered), sealed.seal_id)


@pytest.mark.parametrize("length", [0, 1, 32, 1119, 1120, 1135, 1136, -1])
def test_it_opens_nothing_that_was_cut(length: int) -> None:
    sealed = seal()
    with pytest.raises(SealError):
        unseal(sealed.ciphertext[:length], sealed.seal_id)


def test_it_opens_nothing_with_bytes_behind_it() -> None:
    sealed = seal()
    with pytest.raises(SealError):
        unseal(sealed.ciphertext + b"\0", sealed.seal_id)


def test_it_says_nothing_of_the_secret_when_it_cannot_open() -> None:
    sealed = seal()
    with pytest.raises(SealError) as caught:
        unseal(sealed.ciphertext, sealed.seal_id, exchange="binance")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert sealed.ciphertext.hex()[:16] not in str(caught.value)


def test_it_opens_nothing_without_the_private_key(settings: Settings) -> None:
    sealed = seal()
    settings.SEAL_PRIVATE_KEYS = ""
    with pytest.raises(SealError, match="holds no private seal key"):
        unseal(sealed.ciphertext, sealed.seal_id)
    settings.SEAL_PRIVATE_KEYS = vault.generate_pair()[0]
    with pytest.raises(SealError, match="holds no private seal key"):
        unseal(sealed.ciphertext, sealed.seal_id)


def test_it_opens_nothing_with_another_key_under_the_same_id(settings: Settings) -> None:
    sealed = seal()
    other, _ = vault.generate_pair()
    settings.SEAL_PRIVATE_KEYS = f"{sealed.seal_id}:{other.partition(':')[2]}"
    with pytest.raises(SealError, match="does not match its id"):
        unseal(sealed.ciphertext, sealed.seal_id)


def test_it_opens_nothing_with_all_that_the_web_holds(settings: Settings) -> None:
    """Every setting of a web process, its own secrets included, taken for a private key."""
    sealed = seal()
    settings.SEAL_PRIVATE_KEYS = ""
    for guess in (
        settings.SEAL_PUBLIC_KEYS,
        settings.SECRET_KEY,
        settings.FINGERPRINT_KEY,
        settings.CODE_KEY,
    ):
        settings.SEAL_PRIVATE_KEYS = guess
        with pytest.raises(SealError):
            unseal(sealed.ciphertext, sealed.seal_id)


def test_it_shows_nothing_of_credentials_in_text(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("apikeys").warning("%s %r", CREDENTIALS, {"credentials": [CREDENTIALS]})
    shown = f"{CREDENTIALS!r} {CREDENTIALS} {caplog.text} {seal()!r}"
    assert "Credentials()" in shown
    for value in (CREDENTIALS.api_key, CREDENTIALS.secret, CREDENTIALS.passphrase):
        assert value not in shown
        assert value[:6] not in shown


def test_it_fingerprints_the_same_key_at_the_same_exchange_alike(settings: Settings) -> None:
    prints = [
        vault.fingerprint("bybit", "CanaryKey000000001"),
        vault.fingerprint("bybit", "CanaryKey000000002"),
        vault.fingerprint("binance", "CanaryKey000000001"),
        vault.fingerprint("bybi", "tCanaryKey000000001"),
    ]
    assert prints[0] == vault.fingerprint("bybit", "CanaryKey000000001")
    assert len(set(prints)) == len(prints)
    assert {len(found) for found in prints} == {64}
    settings.FINGERPRINT_KEY = "another key"
    assert vault.fingerprint("bybit", "CanaryKey000000001") not in prints


def test_it_works_with_the_pair_that_the_command_prints(settings: Settings) -> None:
    old, out = seal(), StringIO()
    call_command("generate_seal_key", stdout=out)
    pair = dict(line.split("=", 1) for line in out.getvalue().splitlines())
    assert set(pair) == {"SEAL_PRIVATE_KEYS", "SEAL_PUBLIC_KEYS"}

    # Newest first: the new one seals, and what the old one sealed still opens.
    settings.SEAL_PUBLIC_KEYS = f"{pair['SEAL_PUBLIC_KEYS']}, {settings.SEAL_PUBLIC_KEYS}"
    settings.SEAL_PRIVATE_KEYS = f"{pair['SEAL_PRIVATE_KEYS']}, {settings.SEAL_PRIVATE_KEYS}"
    vault.check_keys()
    new = seal()
    assert new.seal_id == pair["SEAL_PUBLIC_KEYS"].partition(":")[0] != old.seal_id
    assert unseal(new.ciphertext, new.seal_id) == unseal(old.ciphertext, old.seal_id) == CREDENTIALS


def test_it_finds_settings_that_could_open_nothing_new(settings: Settings) -> None:
    vault.check_keys()
    private, public = vault.generate_pair()
    settings.SEAL_PUBLIC_KEYS = public
    with pytest.raises(SealError, match="lacks the private half"):
        vault.check_keys()
    settings.SEAL_PRIVATE_KEYS = private
    vault.check_keys()
    settings.SEAL_PRIVATE_KEYS = ""
    vault.check_keys()
    settings.SEAL_PUBLIC_KEYS = " , "
    with pytest.raises(SealError, match="holds no key"):
        vault.check_keys()


def _short(encoded: str) -> str:
    raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))[:-1]
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("which", ["SEAL_PRIVATE_KEYS", "SEAL_PUBLIC_KEYS"])
@pytest.mark.parametrize("form", ["short", "no_id", "other_id", "no_base64", "id_of_short", "not_ascii"])
def test_it_names_no_value_of_a_malformed_key(which: str, form: str, settings: Settings) -> None:
    private, public = vault.generate_pair()
    key_id, _, encoded = (private if which == "SEAL_PRIVATE_KEYS" else public).partition(":")
    short = _short(encoded)
    of_short = vault._key_id(base64.urlsafe_b64decode(short + "=" * (-len(short) % 4)))
    malformed = {
        "short": f"{key_id}:{short}",
        "no_id": encoded,
        "other_id": f"00000000:{encoded}",
        "no_base64": f"{key_id}:{encoded[:-3]}",
        "id_of_short": f"{of_short}:{short}",
        "not_ascii": f"{key_id}:{encoded[:-1]}ü",
    }[form]
    setattr(settings, which, malformed)
    with pytest.raises(SealError) as caught:
        vault.check_keys()
    assert not any(encoded[at : at + 12] in str(caught.value) for at in range(0, len(encoded) - 12, 4))
    assert caught.value.__cause__ is None
