"""The results as an SVG: bars per scenario and system, for CPU and for payload. Light and dark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import attrs

from tests.bench.results import FLOOR, Result
from tests.bench.systems import TICKWIRE

WIDTH = 760
LEFT = 170
RIGHT = 90
BAR = 18
GAP = 4
GROUP_GAP = 18
TITLE = 34

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.group { font-weight: 600 }
.ours { fill: #1a7f5a } .peer { fill: #9aa4af }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #3fb98a } .peer { fill: #5b6672 } }
"""


@attrs.frozen
class Panel:
    """One figure to draw for each result."""

    title: str
    figure: Callable[[Result], float]
    text: str
    with_floor: bool = False

    def shows(self, result: Result) -> bool:
        """Whether the figure means anything for this system."""
        return self.with_floor or result.system != FLOOR


PANELS = (
    Panel("Server CPU per player and tick, microseconds", lambda result: result.cpu_us_per_client_tick, "{:.1f}", True),
    Panel("Payload per player and tick, bytes", lambda result: result.payload_bytes_per_client_tick, "{:,.0f}"),
    Panel("Resident memory per player, KB", lambda result: result.rss_kb_per_client, "{:,.0f}"),
)


def write_chart(results: Sequence[Result], titles: dict[str, str], path: Path) -> None:
    """Draw the results into the file ``path``."""
    lines: list[str] = []
    top = 0.0
    for panel in PANELS:
        drawn, top = _panel(panel, results, titles, top)
        lines += drawn
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" width="{WIDTH}" role="img">'
    names = "<title>tickwire and its peers, measured side by side</title>"
    path.write_text("\n".join([head, names, f"<style>{_STYLE}</style>", *lines, "</svg>", ""]))


def _panel(panel: Panel, results: Sequence[Result], titles: dict[str, str], top: float) -> tuple[list[str], float]:
    lines = [_text(0, top + 20, panel.title, "title")]
    top += TITLE
    for scenario in dict.fromkeys(result.scenario for result in results):
        group = [result for result in results if result.scenario == scenario and panel.shows(result)]
        longest = max((panel.figure(result) for result in group), default=0.0)
        if float(panel.text.format(longest).replace(",", "")) == 0:
            continue  # nothing to compare: an idle room sends as good as nothing
        lines.append(_text(0, top + 13, f"{scenario}: {titles[scenario]}", "group"))
        top += BAR + GAP
        for result in group:
            lines += _bar(panel, result, longest, top)
            top += BAR + GAP
        top += GROUP_GAP
    return lines, top


def _bar(panel: Panel, result: Result, longest: float, top: float) -> list[str]:
    value = max(0.0, panel.figure(result))
    width = (WIDTH - LEFT - RIGHT) * value / longest
    kind = "ours" if result.system == TICKWIRE else "peer"
    return [
        _text(0, top + 13, result.system),
        f'<rect class="{kind}" x="{LEFT}" y="{top:.0f}" width="{width:.1f}" height="{BAR}" rx="2"/>',
        _text(LEFT + width + 6, top + 13, panel.text.format(value)),
    ]


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{style}>{escape(text)}</text>'
