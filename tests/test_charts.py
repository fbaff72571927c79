"""Charts that are drawn on the server: well-formed, true to their numbers, and told in words too."""

import itertools
import re
import xml.etree.ElementTree as ET

from sequence_portal.charts import Series, bars, figure, spans, spark

DAYS = ["25 Nov", "26 Nov", "27 Nov"]
SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314


def test_it_stands_the_series_of_a_day_on_each_other() -> None:
    accepted, refused = Series("accepted", [4, 0, 10]), Series("refused", [1, 0, 10], "bad")
    drawn = parsed(bars(DAYS, accepted, refused, title="Keys a day"))
    columns = drawn.findall(f"{SVG}g")
    assert [column.findtext(f"{SVG}title") for column in columns] == [
        "25 Nov: 4 accepted, 1 refused",
        "26 Nov: 0 accepted, 0 refused",
        "27 Nov: 10 accepted, 10 refused",
    ]
    assert [len(column.findall(f"{SVG}rect")) for column in columns] == [2, 0, 2]
    lower, upper = columns[2].findall(f"{SVG}rect")
    assert (lower.get("class"), upper.get("class")) == ("c-ok", "c-bad")
    assert (lower.get("y"), upper.get("y")) == ("63.0", "16.0")  # 10 of 20, then up to the top
    assert drawn.findtext(f"{SVG}desc") == (
        "accepted: from 0 to 10, most at 27 Nov. refused: from 0 to 10, most at 27 Nov."
    )


def test_a_line_breaks_where_nothing_is_known() -> None:
    drawn = parsed(spans(DAYS, Series("half", [3.2, None, 1]), title="Time to a verdict"))
    (path,) = drawn.findall(f"{SVG}path[@class='c-line c-ok']")
    assert path.get("d", "").count("M") == 2
    assert [text.text for text in drawn.findall(f"{SVG}text")] == ["1 s", "10 s", "25 Nov", "27 Nov"]
    assert drawn.findtext(f"{SVG}desc") == "half: from 1.0 s to 3.2 s, most at 25 Nov."


def test_a_day_leaves_seconds_and_minutes_to_be_told_apart() -> None:
    drawn = parsed(spans(DAYS, Series("most", [2, 180, 86_400]), title="Time to a verdict"))
    marks = [text.text for text in drawn.findall(f"{SVG}text")][:-2]
    assert marks == ["1 s", "1 min", "1 h", "1 d"]
    (path,) = drawn.findall(f"{SVG}path[@class='c-line c-ok']")
    heights = [float(place) for place in re.findall(r"L[0-9.]+ ([0-9.]+)", path.get("d", ""))]
    assert heights[-1] == 16  # the top
    assert all(before - after > 20 for before, after in itertools.pairwise(heights))


def test_it_keeps_within_the_axis_what_is_shorter_or_longer_than_any_mark() -> None:
    drawn = parsed(spans(DAYS, Series("most", [0, 0.01, 9e6]), title="Time to a verdict"))
    (path,) = drawn.findall(f"{SVG}path[@class='c-line c-ok']")
    assert set(re.findall(r"[ML][0-9.]+ ([0-9.]+)", path.get("d", ""))) == {"110.0", "16.0"}


def test_it_draws_nothing_much_of_nothing() -> None:
    for chart in (
        bars([], title="x"),
        spans(DAYS, Series("a", [None] * 3), title="x"),
        spark([], title="x"),
        bars(DAYS, Series("a", [0, 0, 0]), title="x"),
    ):
        assert not re.search("nan|inf", chart)
        parsed(chart)


def test_names_are_escaped_and_no_style_stands_inline() -> None:
    evil = "<script>alert(1)</script>"
    series = Series(evil, [1, 2, 3])
    shown = figure(bars([evil] * 3, series, title=evil), [evil] * 3, series, caption=evil)
    assert "<script" not in shown
    assert not re.search(r"\sstyle=|\son\w+=|<style", shown)
    assert parsed(shown.replace("<figure ", "<svg ").replace("</figure>", "</svg>")) is not None
