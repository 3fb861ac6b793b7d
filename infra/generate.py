#!/usr/bin/env python3
"""Writes what is the same for every key, table and function: the marked block of template.yaml, and infra/api.yaml.

It reads the route table, the problem codes, infra/functions.toml and infra/gateway.toml. Run it after a change to
one of them; `--check` only says whether the files are what it would write. It needs Python 3.11 and nothing else.
What it writes is put together in infra/parts: read.py reads, storage.py has keys, tables and logs, roles.py turns
what a function may do into its role, functions.py has the functions, gateway.py the gateway's body.
"""

import sys

sys.dont_write_bytecode = True

from parts import functions as function_parts, gateway, storage  # noqa: E402
from parts.read import ROOT, camel, functions, problems, routes  # noqa: E402,F401

TEMPLATE = ROOT / "template.yaml"
API = ROOT / "infra" / "api.yaml"
BEGIN = "  # >>> Written by infra/generate.py: change infra/functions.toml, infra/parts or the route table instead.\n"
END = "  # <<< Written by infra/generate.py.\n"


def block():
    endpoints, jobs = functions()
    areas = dict.fromkeys(function["area"] for function in endpoints + jobs)
    parts = storage.block(areas) + function_parts.block()
    text = "\n\n".join("\n".join(("  " + line).rstrip() for line in part) for part in parts)
    return f"{BEGIN}\n{text}\n\n{END}"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("usage: infra/generate.py [--check]")
    template = TEMPLATE.read_text()
    if template.count(BEGIN) != 1 or template.count(END) != 1:
        sys.exit("template.yaml has lost the marks of the generated block")
    before, rest = template.split(BEGIN)
    new = {TEMPLATE: before + block() + rest.split(END)[1], API: gateway.api()}
    stale = [path for path, text in new.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if not check:
            path.write_text(new[path])
        print(f"{path.relative_to(ROOT)} {'is not what infra/generate.py writes: run it' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
