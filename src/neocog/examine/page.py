"""What was found, as one page for a browser that needs nothing else: the sheets are in it, and no script."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from neocog.examine.member import Findings, Table

__all__ = ["page"]

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #18181c; background: #fff; max-width: 1240px; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.6rem }} h2 {{ font-size: 1.25rem; border-top: 1px solid #d6d8de; padding-top: 1.5rem; margin-top: 2.5rem }}
figure {{ margin: 1.5rem 0; overflow-x: auto }} img {{ max-width: 100%; height: auto; border: 1px solid #d6d8de }}
figcaption {{ color: #6e7078 }}
table {{ border-collapse: collapse; margin: 1rem 0 }} caption {{ text-align: left; font-weight: 600; padding-bottom: .4rem }}
th, td {{ padding: .25rem .8rem .25rem 0; text-align: left; border-bottom: 1px solid #d6d8de }} .right {{ text-align: right }}
</style>
</head>
<body>
<h1>{title}</h1>
"""


def page(title: str, found: Mapping[str, Findings], sheets: Mapping[str, Sequence[bytes]]) -> str:
    """The page; every text is escaped, whatever a file or a class is called.

    Args:
        title: of the page.
        found: by the name of the method.
        sheets: the PNG bytes of each method's sheets, in their order.
    """
    parts = [HEAD.format(title=escape(title))]
    for name, findings in found.items():
        parts.append(f"<h2>{escape(name)}</h2>\n")
        parts += [_table(table) for table in findings.tables]
        parts += [f"<p>{escape(line)}</p>\n" for line in findings.lines]
        for sheet, data in zip(findings.sheets, sheets[name], strict=True):
            source = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
            words = escape(sheet.caption or sheet.name)
            parts.append(f'<figure><img src="{source}" alt="{words}"><figcaption>{words}</figcaption></figure>\n')
    return "".join([*parts, "</body>\n</html>\n"])


def _table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        sides = (' class="right"' if heading in table.right else "" for heading in table.headings)
        return "<tr>" + "".join(f"<{tag}{side}>{escape(cell)}</{tag}>" for cell, side in zip(cells, sides, strict=True)) + "</tr>\n"

    caption = f"<caption>{escape(table.title)}</caption>\n" if table.title else ""
    return f"<table>{caption}{row(table.headings, 'th')}{''.join(row(cells, 'td') for cells in table.rows)}</table>\n"
