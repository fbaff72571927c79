"""Every address of the portal, from its URL configuration."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True, slots=True)
class Route:
    """`name` with its namespace; the route itself where it has none."""

    name: str
    path: str


def every_route(resolver: URLResolver | None = None, space: str = "", path: str = "") -> Iterator[Route]:
    for found in (resolver or get_resolver()).url_patterns:
        whole = f"{path}{found.pattern}"
        if isinstance(found, URLResolver):
            yield from every_route(found, f"{space}{found.namespace}:" if found.namespace else space, whole)
        elif isinstance(found, URLPattern):
            yield Route(f"{space}{found.name}" if found.name else whole, whole)
