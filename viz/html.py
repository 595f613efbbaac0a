"""From a drawing to a page that needs nothing else: no network, no handlers, no foreign markup.

pyvis keeps the graph (its `Network`) and ships the vis-network library; its own page template
is never used, because that one asks a CDN for style sheets, puts headings and options into
the page unescaped, and shows titles as markup once one of them contains "href". Here the
graph travels as a block of JSON that no browser runs, names reach the picture and its
tooltips as text only, and a content security policy admits exactly the scripts and the
style sheet that this module put there, by hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from viz.drawing import Drawing
from viz.figures import count, figure, percent, span
from viz.style import VIS_SIZES, variables

__all__ = ["render"]


def render(template: str, *, drawing: Drawing | None = None, **context: Any) -> str:
    """Render a page; the same values give the same bytes.

    Parameters
    ----------
    template
        A file of viz/templates. Values in it are escaped, whatever they hold.
    drawing
        The graph of the page, if it has one; with it comes vis-network (0.5 MB).
    """
    scripts = [_static("page.js")]
    if drawing is not None:
        scripts = [_vis(), _static("graph.js"), *scripts]
    style = variables() + _static("page.css")
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src " + " ".join(_hash(s) for s in scripts),
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = (
        _environment()
        .get_template(template)
        .render(
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own file
            scripts=[Markup(s) for s in scripts],  # noqa: S704 - our own files and vis-network
            graph=None if drawing is None else Markup(_graph(drawing)),  # noqa: S704 - see _inert
            about=None if drawing is None else drawing.about,
            **context,
        )
    )
    return page.rstrip() + "\n"


def _graph(drawing: Drawing) -> str:
    """Hand a drawing to pyvis and take back what vis-network reads, as JSON that is inert."""
    from pyvis.network import Network

    # Directed, because pyvis looks through all edges for each undirected one it adds.
    network = Network(directed=True)
    # vis-network draws in the order of ids: what comes first here gets the highest.
    top = len(drawing.nodes) - 1
    for i, node in enumerate(drawing.nodes):
        network.add_node(
            top - i,
            # pyvis shows the number of a node that has no label.
            label=node.label or " ",
            title=node.title,
            shape=node.mark.shape,
            x=round(float(node.x), 1),
            y=round(float(node.y), 1),
            size=round(float(node.size) * VIS_SIZES.get(node.mark.shape, 1.0), 2),
            colour=int(node.mark.colour),
            fontSize=int(node.font),
            dashed=bool(node.dashed),
            pale=bool(node.pale),
            page=node.page or "",
        )
    for edge in drawing.edges:
        network.add_edge(
            top - int(edge.source),
            top - int(edge.target),
            width=round(float(edge.width), 2),
            title=edge.title,
            across=bool(edge.across),
            dashes=bool(edge.dashed),
        )
    network.toggle_physics(False)
    nodes, edges, *_ = network.get_network_data()
    if not drawing.directed:
        for one in edges:
            del one["arrows"]
    return _inert(
        {
            "nodes": nodes,
            "edges": edges,
            "circles": [[round(x, 1), round(y, 1)] for x, y in drawing.circles],
        }
    )


def _inert(value: object) -> str:
    r"""Write JSON in which no character means anything to a parser of HTML.

    Examples
    --------
    >>> _inert("</script><!--")
    '"\\u003c/script\\u003e\\u003c!--"'
    """
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@cache
def _static(name: str) -> str:
    return (resources.files("viz") / "static" / name).read_text("utf-8").strip()


@cache
def _vis() -> str:
    """Return the vis-network that pyvis ships, without the pointer to a source map."""
    found = resources.files("pyvis") / "templates" / "lib" / "vis-9.1.2" / "vis-network.min.js"
    text = found.read_text("utf-8").strip()
    return text.rpartition("//# sourceMappingURL=")[0].strip()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("viz"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=count, percent=percent, figure=figure, span=span)
    return environment
