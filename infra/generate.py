#!/usr/bin/env python3
"""Writes what is the same for every key, table, function and stack, and the gateway's body.

It reads the route table, the problem codes, the list of events (docs/events.md), the reference (openapi.json),
infra/functions.toml and infra/gateway.toml. Run it after a change to one of them; `--check` only says whether the files are what it would write. It needs Python 3.11 and
nothing else.

The parts: parts/read.py reads, data.py has keys, tables and buckets, roles.py turns what a function may do into its
role, functions.py has the functions, gateway.py the gateway's body, watch.py the alarms, stacks.py puts the stacks
together. A template that people write has a marked block for what is written here; an area's template is written whole.
"""

import sys

sys.dont_write_bytecode = True

from parts import data, functions as function_parts, gateway, stacks, watch  # noqa: E402
from parts.read import ROOT, camel, functions, problems, routes  # noqa: E402,F401

TEMPLATE = ROOT / "template.yaml"
BEGIN = "  # >>> Written by infra/generate.py: change what it reads, or infra/parts, instead.\n"
END = "  # <<< Written by infra/generate.py.\n"


def marked(text, path, parts):
    """A template with `parts`, one list for each marked block in it."""
    before, *rest = text.split(BEGIN)
    if len(rest) != len(parts) or any(part.count(END) != 1 for part in rest):
        sys.exit(f"{path.relative_to(ROOT)} has lost the marks of a generated block")
    for block, after in zip(parts, (part.split(END)[1] for part in rest)):
        written = "\n\n".join("\n".join(("  " + line).rstrip() for line in part) for part in block)
        before += f"{BEGIN}\n{written}\n\n{END}{after}"
    return before


def written():
    """Every file that is written, or has a written block, by its path."""
    root = TEMPLATE.read_text()
    blocks = {
        "data": [data.blocks(), [data.outputs()]],
        "edge": [[gateway.throttles()], function_parts.gateway_roles()],
        "watch": [watch.blocks()],
    }
    templates = {area.lower(): stacks.area_template(area, root) for area in function_parts.areas()}
    for path in sorted(stacks.PLACE.glob("*.yaml")):
        if path.stem not in templates:
            text = path.read_text()
            templates[path.stem] = marked(text, path, blocks[path.stem]) if path.stem in blocks else text
    new = {stacks.PLACE / f"{stack}.yaml": text for stack, text in templates.items()}
    new[TEMPLATE] = marked(root, TEMPLATE, [stacks.entries(root, templates)])
    new[ROOT / "infra" / "api.yaml"] = gateway.api()
    return new


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("usage: infra/generate.py [--check]")
    stale = [(path, text) for path, text in written().items() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        if not check:
            path.write_text(text)
        print(f"{path.relative_to(ROOT)} {'is not what infra/generate.py writes: run it' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
