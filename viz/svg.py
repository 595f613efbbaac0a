"""A drawing as SVG: the still picture of what vis-network shows, for pages and for files."""

from __future__ import annotations

from markupsafe import Markup, escape

from viz.drawing import Drawing, Edge, Node
from viz.layout import HEIGHT, WIDTH
from viz.style import EDGE, FONT, INK, PAPER, in_file

__all__ = ["picture"]


def picture(drawing: Drawing, *, inline: bool = True) -> Markup:
    """Draw as SVG: in the page's colours, or for a file, on white.

    Labels are escaped; titles are left to the interactive picture.
    """
    parts = [_edge(e, drawing) for e in drawing.edges]
    # Nodes that come first are drawn on top, as in the interactive picture.
    parts += [_node(node) for node in reversed(drawing.nodes)]
    parts += [_label(node) for node in reversed(drawing.nodes) if node.label.strip()]
    ground = "" if inline else f'<rect x="-600" y="-360" width="1200" height="720" fill="{PAPER}"/>'
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="still" '
        f'viewBox="{-WIDTH / 2 - 40:g} {-HEIGHT / 2 - 40:g} {WIDTH + 80:g} {HEIGHT + 80:g}" '
        f'width="{WIDTH + 80:g}" height="{HEIGHT + 80:g}" role="img" '
        f'aria-label="{escape(drawing.about)}" font-family="{escape(FONT)}">'
    )
    drawn = head + ground + "".join(parts) + "</svg>"
    return Markup(drawn if inline else in_file(drawn))  # noqa: S704 - texts are escaped


def _edge(edge: Edge, drawing: Drawing) -> str:
    u, v = drawing.nodes[edge.source], drawing.nodes[edge.target]
    dashes = ' stroke-dasharray="5 4"' if edge.dashed else ""
    return (
        f'<line x1="{u.x:.1f}" y1="{u.y:.1f}" x2="{v.x:.1f}" y2="{v.y:.1f}" '
        f'stroke="{EDGE}" stroke-width="{edge.width:.2f}"{dashes}/>'
    )


def _node(node: Node) -> str:
    paint = f'fill="{node.mark.paint}"'
    rim = f'stroke="{INK}" stroke-dasharray="5 4"' if node.dashed else f'stroke="{PAPER}"'
    fade = ' fill-opacity=".3"' if node.pale else ""
    shape = (
        f'<path transform="translate({node.x:.1f} {node.y:.1f}) scale({node.size:.2f})" '
        f'd="{node.mark.path}" '
    )
    # Paper under a pale shape hides the lines below it.
    ground = f'{shape}fill="{PAPER}"/>' if node.pale else ""
    return (
        f'{ground}{shape}{paint} {rim} stroke-width="1.5" '
        f'vector-effect="non-scaling-stroke"{fade}/>'
    )


def _label(node: Node) -> str:
    y = node.y + node.size + node.font
    return (
        f'<text x="{node.x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="{node.font}" '
        f'fill="{INK}" stroke="{PAPER}" stroke-width="4" stroke-linejoin="round" '
        f'paint-order="stroke">{escape(node.label)}</text>'
    )
