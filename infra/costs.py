#!/usr/bin/env python3
"""Works out what requests and people cost, and writes it into docs/costs.md between its marks.

    infra/costs.py               writes the tables from infra/costs.toml
    infra/costs.py --check       says whether they are what it would write
    infra/costs.py --measure STACK
                                 prints what each endpoint took of the store, read from a deployment's log (AWS's, or the
                                 emulator's that tests/infra/deploy.sh leaves running with KEEP=yes); needs boto3

Memory comes from infra/functions.toml, prices, assumptions and measurements from infra/costs.toml.
"""

import json
import re
import statistics
import sys
import tomllib
from pathlib import Path

sys.dont_write_bytecode = True

from parts.watch import interval  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "costs.md"
BEGIN, END = "<!-- written by infra/costs.py -->\n", "<!-- until here -->\n"
MILLION = 1_000_000


def measure(stack):
    """The median of store requests, units and answer sizes by endpoint, from the functions' own log lines."""
    import boto3

    logs, found = boto3.client("logs"), {}
    prefix = "/screensort/" + stack.removeprefix("screensort-")
    for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
        name = group["logGroupName"]
        for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]:
            told = logs.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True)
            for event in told["events"]:
                try:
                    line = json.loads(event["message"])
                except ValueError:
                    continue
                if line.get("event") == "request.answered" and line["status"] < 400:
                    key = line["endpoint"]
                    found.setdefault(key, set()).add(
                        (event["timestamp"], line["StoreRequests"], line["StoreUnits"], line["store_steps"], line["bytes"]))
    for endpoint, lines in sorted(found.items()):
        requests, units, steps, size = (statistics.median(line[at] for line in lines) for at in (1, 2, 3, 4))
        print(f"{endpoint} = {{requests = {requests:g}, units = {units:g}, steps = {steps:g}, bytes = {size:g}}}")


def cost(endpoint, facts, prices, guess, memory):
    """Dollars for a million requests, by what they are for."""
    ms = guess["own_ms"].get(endpoint, guess["own_ms"]["other"]) + facts["steps"] * guess["store_ms"]
    writes = facts["units"] if endpoint in guess["writers"] else 0
    parts = {
        "gateway": prices["gateway_million"],
        "firewall": prices["firewall_million"],
        "function": prices["invocation_million"] + MILLION * ms / 1000 * memory / 1024 * prices["gb_second"],
        "store": writes * prices["write_units_million"] + (facts["units"] - writes) * prices["read_units_million"],
        "keys": guess["key_calls"].get(endpoint, 0) * prices["key_calls_million"],
        "logs": MILLION * guess["log_bytes"] / 1e9 * prices["log_gb"],
        "transfer": MILLION * facts["bytes"] / 1e9 * prices["transfer_gb"],
    }
    return ms, parts


def runs():
    """How often schedules start jobs in a month of thirty days."""
    jobs = tomllib.loads((ROOT / "infra/functions.toml").read_text())["job"]
    return sum(30 * 86400 // interval(job["schedule"]) for job in jobs.values() if "schedule" in job)


def standing(asked):
    """What is paid for what there is, counted in the templates: (what, how many, dollars each). What no template has is
    as infra/costs.toml says."""
    kinds, watched = {}, {"alarms": 0, "bands": 0, "both": 0}
    for path in [*sorted((ROOT / "infra/stacks").glob("*.yaml"))]:
        for block in re.split(r"(?m)^  (?=\w+:\n    Type: AWS::)", path.read_text())[1:]:
            kind = re.search(r"Type: AWS::(\S+)", block)[1]
            kinds[kind] = kinds.get(kind, 0) + 1
            if kind == "CloudWatch::Alarm":
                # An alarm on an expression is charged for each metric in it; a band for itself and its two edges.
                if "ANOMALY_DETECTION_BAND" in block:
                    watched["bands"] += 1
                else:
                    watched["alarms"] += max(1, block.count("MetricStat:"))
            elif kind == "CloudWatch::CompositeAlarm":
                watched["both"] += 1
    counted = kinds | watched | {"runs": runs()}
    for what, (count, price) in asked.items():
        yield what, counted[count] if isinstance(count, str) else count, price


def tables():
    asked = tomllib.loads((ROOT / "infra/costs.toml").read_text())
    functions = tomllib.loads((ROOT / "infra/functions.toml").read_text())["endpoint"]
    prices, guess, measured = asked["prices"], asked["assumptions"], asked["measured"]
    lines = ["| endpoint | memory, MiB | ms | store requests | units | gateway | firewall | function | store | keys | logs | transfer | a million |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    totals = {}
    for endpoint, facts in measured.items():
        memory = functions[endpoint].get("memory", 256)
        ms, parts = cost(endpoint, facts, prices, guess, memory)
        totals[endpoint] = sum(parts.values())
        each = " | ".join(f"{part:.2f}" for part in parts.values())
        lines.append(f"| `{endpoint}` | {memory} | {ms:g} | {facts['requests']:g} | {facts['units']:g} | {each} | **{totals[endpoint]:.2f}** |")
    # Those that no smoke run touches: what they take of the store is not known, what it takes to answer at all is.
    lines += ["", "| not measured; at least, by memory | endpoints | a million |", "|---|---|---|"]
    unmeasured = {}
    for endpoint in sorted(functions.keys() - measured.keys()):
        unmeasured.setdefault(functions[endpoint].get("memory", 256), []).append(endpoint)
    for memory, endpoints in sorted(unmeasured.items()):
        nothing = {"requests": 0, "units": 0, "steps": 1, "bytes": 0}
        least = max(sum(cost(one, nothing, prices, guess, memory)[1].values()) for one in endpoints)
        lines.append(f"| {memory} MiB | {len(endpoints)}: {', '.join(f'`{one}`' for one in endpoints)} | **{least:.2f}** |")
    lines += ["", "| a person's day | requests | dollars a month for a thousand such people |", "|---|---|---|"]
    whole = 0
    for endpoint, times in asked["day"].items():
        dollars = times * 1000 * 30 * totals[endpoint] / MILLION
        whole += dollars
        lines.append(f"| `{endpoint}` | {times:g} | {dollars:.3f} |")
    lines.append(f"| **together** | {sum(asked['day'].values()):g} | **{whole:.2f}** |")
    lines += ["", "| whether or not anybody comes | how many | dollars a month |", "|---|---|---|"]
    fixed = 0
    for name, count, price in standing(asked["standing"]):
        fixed += count * price
        lines.append(f"| {name} | {count:g} | {count * price:.2f} |")
    lines.append(f"| **together** | | **{fixed:.2f}** |")
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:2] == ["--measure"] and len(sys.argv) == 3:
        return measure(sys.argv[2])
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    new = before + BEGIN + "\n" + tables() + "\n" + END + rest.split(END)[1]
    if sys.argv[1:] == ["--check"]:
        return sys.exit("docs/costs.md is not what infra/costs.py writes: run it" if new != text else None)
    DOCUMENT.write_text(new)


if __name__ == "__main__":
    main()
