"""What a look at a page in a browser finds."""

from collections.abc import Sequence
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Dark pages differ from light ones in the values of colours alone, so these are what can come out otherwise.
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]

TELL_OF_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.querySelectorAll("main *, header *, footer *")]
    .filter((el) => el.getBoundingClientRect().right > room + 1);
  return wide.map((el) => `${el.tagName}.${el.className} reaches ${el.getBoundingClientRect().right}`)
    .concat([`the page is ${document.documentElement.scrollWidth} wide`]);
}"""


def complaints_of(page: Page) -> list[str]:
    """Fills with what the browser complains of, a refused page itself apart."""
    found: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        of_the_page = message.location["url"] == page.url and "Failed to load resource" in message.text
        if message.type in {"error", "warning"} and not of_the_page:
            found.append(f"console: {message.text} ({message.location['url']})")

    page.on("console", heard)
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on("requestfailed", lambda request: found.append(f"not loaded: {request.url}"))
    page.add_init_script(TELL_OF_VIOLATIONS)
    return found


def set_look(page: Page, width: int, theme: Theme) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)


def axe_violations(page: Page, rules: Sequence[str] = AXE_RULES) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    # Preloading style sheets that name others, axe puts styles into the page, which the policy forbids.
    options = {"runOnly": list(rules), "resultTypes": ["violations"], "preload": False}
    answer = page.evaluate("options => axe.run(options)", options)
    assert answer["passes"], "axe looked at nothing"
    return [
        f"axe: {rule['id']} ({rule['help']}) at {[node['target'] for node in rule['nodes']]}"
        for rule in answer["violations"]
    ]
