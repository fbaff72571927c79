"""What an authenticator app is told: the secret as text, as an address, and as a picture of that address."""

import io
from base64 import b32encode
from textwrap import wrap
from urllib.parse import quote, urlencode

import segno

from accounts.devices import AuthenticatorApp

_ISSUER = "Sequence Portal"


def secret_text(app: AuthenticatorApp) -> str:
    """For typing: base32, as apps take it, in groups of four."""
    return " ".join(wrap(b32encode(app.secret).decode(), 4))


def qr_svg(app: AuthenticatorApp) -> bytes:
    """Dark on white whatever the page's colours are, since cameras want it so, and free of inline style."""
    picture = io.BytesIO()
    segno.make(_uri(app), error="m", micro=False).save(
        picture, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return picture.getvalue()


def _uri(app: AuthenticatorApp) -> str:
    """https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    label = quote(f"{_ISSUER}:{app.user.email}")
    values = {"secret": b32encode(app.secret).decode(), "issuer": _ISSUER}
    return f"otpauth://totp/{label}?{urlencode(values, quote_via=quote)}"
