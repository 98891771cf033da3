"""GeoReport v2's two shapes of one answer: JSON, and XML with an element for each item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from xml.etree import ElementTree

from starlette.responses import Response

from channels.api.json import Json

Format = Literal["json", "xml"]

_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry, not even escaped."""


def rendered(shape: Format, root: str, item: str, items: Sequence[Mapping[str, Any]], status: int = 200) -> Response:
    """``items`` as a JSON list, or as ``item`` elements inside ``root``."""
    headers = {"Cache-Control": "no-store"}
    if shape == "json":
        return Json(list(items), status, headers)
    tree = ElementTree.Element(root)
    for each in items:
        _fill(ElementTree.SubElement(tree, item), each)
    return _xml(tree, status, headers)


def rendered_one(shape: Format, root: str, value: Mapping[str, Any]) -> Response:
    """A single object, which GeoReport does not wrap in a list."""
    headers = {"Cache-Control": "no-store"}
    if shape == "json":
        return Json(dict(value), 200, headers)
    tree = ElementTree.Element(root)
    _fill(tree, value)
    return _xml(tree, 200, headers)


def _fill(element: ElementTree.Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        child = ElementTree.SubElement(element, name)
        if isinstance(value, Mapping):
            _fill(child, value)
        elif isinstance(value, list):
            for each in value:
                _fill(child, each)
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            child.text = _UNWRITABLE.sub("", text)


def _xml(tree: ElementTree.Element, status: int, headers: Mapping[str, str]) -> Response:
    body = ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True)
    return Response(body, status, headers, media_type="text/xml; charset=utf-8")
