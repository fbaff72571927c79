"""The mailbox page and the doors by which another process steers the sink."""

from collections.abc import Awaitable, Callable
from html import escape

from aiohttp import web

from tests.mail_sink.conduct import Conduct, Drop, Refusal
from tests.mail_sink.letters import Letter, Letters

STYLE = """
:root { color-scheme: light dark; --paper: #f6f6f2; --ink: #17211f; --ink-2: #52605c; --rule: #d8dcd5;
  --accent: #0a5c50; --sheet: #fff; }
@media (prefers-color-scheme: dark) { :root { --paper: #0f1413; --ink: #e8ece9; --ink-2: #a2b0ab;
  --rule: #2a3330; --accent: #7ad3bf; --sheet: #171e1c; } }
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.02em; }
p, dt, .when { color: var(--ink-2); } p { margin: 0 0 2rem; }
a { color: var(--accent); text-underline-offset: .2em; }
ol { margin: 0; padding: 0; list-style: none; border-top: 1px solid var(--rule); }
li a { display: grid; grid-template-columns: 1fr auto; gap: .1rem 1.5rem; padding: .9rem 0; color: inherit;
  text-decoration: none; border-bottom: 1px solid var(--rule); }
li a:hover b { text-decoration: underline; } li span { color: var(--ink-2); }
.when, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .875rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; margin: 1.5rem 0 2rem; }
dd { margin: 0; overflow-wrap: anywhere; } h2 { margin: 2rem 0 .75rem; font-size: 1.125rem; }
pre { margin: 0; padding: 1.25rem; overflow-x: auto; background: var(--sheet);
  border: 1px solid var(--rule); }
iframe { width: 100%; height: 48rem; border: 1px solid var(--rule); }
"""

Act = Callable[[], Awaitable[None]]


def make_app(letters: Letters, conduct: Conduct, up: Act, down: Act) -> web.Application:
    """`/` lists the mail, `/mail/<number>/` shows one, `/_control/…` is JSON, changed by POST only."""

    async def mailbox(_: web.Request) -> web.Response:
        return _page("Mailbox", _list(letters.all()), refresh=2)

    async def one(request: web.Request) -> web.Response:
        letter = _found(letters, request)
        return _page(letter.subject, _letter(letter))

    async def html(request: web.Request) -> web.Response:
        return web.Response(
            text=_found(letters, request).html,
            content_type="text/html",
            # What a mail holds runs nothing and fetches nothing, also when opened outside its frame.
            headers={"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"},
        )

    async def messages(_: web.Request) -> web.Response:
        return web.json_response([letter.as_json() for letter in letters.all()])

    async def state(_: web.Request) -> web.Response:
        return web.json_response(conduct.state())

    async def control(request: web.Request) -> web.Response:
        query = request.query
        times = int(query["times"]) if "times" in query else None
        match request.match_info["act"]:
            case "hold":
                conduct.open.clear()
            case "release":
                conduct.open.set()
            case "refuse" if query.get("at", "rcpt") in {"mail", "rcpt", "data"}:
                at = query.get("at", "rcpt")
                conduct.refusal = Refusal(int(query["code"]), at, times)  # type: ignore[arg-type]
            case "drop" if query.get("at", "data") in {"data", "quit"}:
                conduct.dropping = Drop(query.get("at", "data"), times)  # type: ignore[arg-type]
            case "behave":
                conduct.refusal = conduct.dropping = None
                conduct.open.set()
            case "clear":
                letters.clear()
            case "down":
                await down()
            case "up":
                await up()
            case _:
                raise web.HTTPNotFound
        return web.json_response(conduct.state())

    app = web.Application()
    app.add_routes(
        [
            web.get("/", mailbox),
            web.get(r"/mail/{number:\d+}/", one),
            web.get(r"/mail/{number:\d+}/html", html),
            web.get("/_control/messages", messages),
            web.get("/_control/state", state),
            web.post("/_control/{act}", control),
        ]
    )
    return app


def _found(letters: Letters, request: web.Request) -> Letter:
    letter = letters.get(int(request.match_info["number"]))
    if letter is None:
        raise web.HTTPNotFound
    return letter


def _list(letters: list[Letter]) -> str:
    rows = "".join(
        f'<li><a href="/mail/{letter.number}/"><b>{escape(letter.subject)}</b>'
        f'<time class="when" datetime="{letter.at.isoformat()}">{letter.at:%H:%M:%S}</time>'
        f"<span>to {escape(', '.join(letter.recipients))}</span></a></li>"
        for letter in reversed(letters)
    )
    said = "Every mail the portal sent, newest first. Times are UTC."
    return f"<h1>Mailbox</h1><p>{said if rows else 'No mail yet. This page looks again by itself.'}</p>" + (
        f"<ol>{rows}</ol>" if rows else ""
    )


def _letter(letter: Letter) -> str:
    facts = {
        "From": str(letter.message["From"]),
        "To": ", ".join(letter.recipients),
        "Accepted": f"{letter.at:%d %b %Y, %H:%M:%S} UTC",
        "Message-ID": letter.message_id,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    html = (
        f'<h2>HTML</h2><iframe sandbox title="The mail as HTML" src="/mail/{letter.number}/html"></iframe>'
        if letter.html
        else ""
    )
    return (
        f'<p><a href="/">Mailbox</a></p><h1>{escape(letter.subject)}</h1><dl>{rows}</dl>'
        f"<h2>Text</h2><pre>{escape(letter.text)}</pre>{html}"
    )


def _page(title: str, body: str, refresh: int = 0) -> web.Response:
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return web.Response(
        text=f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'{again}<link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        content_type="text/html",
        headers={"Cache-Control": "no-store"},
    )
