"""One page that needs nothing else, whatever things are called."""

import base64
from html.parser import HTMLParser

import torch

from neocog.examine.member import Findings, Sheet, Table
from neocog.examine.page import page
from neocog.images import encode_png

NASTY = '<script>alert("1")</script>&amp;\'{x}'
PICTURE = torch.zeros(3, 4, 4, dtype=torch.uint8)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data):
        self.texts.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


def test_it_holds_everything_and_asks_for_nothing():
    findings = Findings({}, [Sheet("maps", PICTURE, "what is seen")], [Table("counts", ["name", "n"], [["cat", "3"]], ["n"])], ["a line"])
    found = read(page("A title", {"saliency": findings}, {"saliency": [encode_png(PICTURE)]}))
    assert {"A title", "saliency", "what is seen", "counts", "cat", "3", "a line"} <= set(found.texts)
    (source,) = found.sources
    assert source.startswith("data:image/png;base64,")
    assert base64.b64decode(source.partition(",")[2]) == encode_png(PICTURE)
    assert not {"script", "link", "iframe", "object"} & set(found.tags)


def test_no_name_becomes_markup():
    findings = Findings({}, [Sheet("maps", PICTURE, NASTY)], [Table(NASTY, [NASTY], [[NASTY]], [NASTY])], [NASTY])
    text = page(NASTY, {NASTY: findings}, {NASTY: [b"png"]})
    found = read(text)
    assert "script" not in found.tags
    assert "<script" not in text
    assert found.texts.count(NASTY) == 8  # the title twice, method, table, heading, cell, line, caption
