"""A browser without JavaScript, for the portal's web process: keeps cookies, sends forms, follows nothing."""

import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.mail_sink import Letter


@dataclass(frozen=True)
class Page:
    status: int
    headers: str
    body: bytes
    location: str = ""

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Visitor:
    """One for each thread. `pages` keeps all that was ever shown, error pages included."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)

    def get(self, path: str) -> Page:
        return self._ask("GET", path, None)

    def post(self, path: str, fields: Mapping[str, str], *, token: bool = True) -> Page:
        """With the token of the form, for which some page with a form must have been opened before."""
        sent = {**fields, "csrfmiddlewaretoken": self.cookies["csrf"]} if token else fields
        return self._ask("POST", path, urlencode(sent))

    def sign_in(self, email: str, password: str) -> Page:
        self.get("/sign-in/")
        return self.post("/sign-in/", {"email": email, "password": password})

    def _ask(self, method: str, path: str, body: str | None) -> Page:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        talk = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            talk.request(method, path, body, headers)
            answer = talk.getresponse()
            content = answer.read()
        finally:
            talk.close()
        for morsels in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(morsels).items():
                self.cookies[name] = morsel.value
        page = Page(answer.status, str(answer.headers), content, answer.headers.get("Location") or "")
        self.pages.append(page)
        return page


def code_of(letter: Letter) -> str:
    found = re.search(r"\b(\d{3})\s?(\d{3})\b", letter.text)
    assert found, letter.text
    return found[1] + found[2]
