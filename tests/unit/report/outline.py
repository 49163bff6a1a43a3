"""Pages as documents: their elements and what they say."""

import json
import re
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "hr", "img", "link", "path", "circle"}


class Outline(HTMLParser):
    """Collects elements, their attributes, and the text outside scripts and styles; checks that tags are paired."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.stack: list[str] = []
        self.feed(html)
        self.close()
        assert not self.stack

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.stack.pop() == tag, f"{tag} closes what was not open"

    def handle_data(self, data):
        if self.stack and self.stack[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def words(html):
    return re.sub(r"[ \n]+", " ", " ".join(Outline(html).text))


def part(pattern, html):
    found = re.search(pattern, html, re.DOTALL)
    assert found is not None
    return found[1]


def data_of(html):
    return json.loads(part(r'id="page-data">(.*?)</script>', html))


def blobs_of(html):
    return dict(re.findall(r'<script type="text/plain" id="blob-(\w+)">(.*?)</script>', html))
