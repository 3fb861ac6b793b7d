#!/usr/bin/env python3
"""Reads a feed of security bulletins (RSS) and prints those of the last days as a list for an issue.

    curl ... | infra/bulletins.py 8

The feed is somebody else's: titles become plain text, links must lead to the vendor, and a document that declares
entities is refused before it is parsed.
"""
import datetime
import email.utils
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

VENDOR = "aws.amazon.com"


def of_late(feed, days, now):
    """The bulletins of the last `days`, newest first, as lines of Markdown."""
    if "<!DOCTYPE" in feed or "<!ENTITY" in feed:
        raise SystemExit("the feed declares entities: it is not read")
    found = []
    for item in ElementTree.fromstring(feed).iter("item"):
        at = email.utils.parsedate_to_datetime(item.findtext("pubDate", "").strip())
        at = at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)
        link = urllib.parse.urlsplit(item.findtext("link", "").strip())
        if link.scheme != "https" or link.hostname != VENDOR or now - at > datetime.timedelta(days=days):
            continue
        title = re.sub(r"[^\w .,:;()/+-]", " ", item.findtext("title", "")).strip()[:200]
        path = urllib.parse.quote(link.path, safe="/-._~%")
        found.append((at, f"- [ ] {at:%Y-%m-%d} {title}: https://{VENDOR}{path}"))
    return [line for _, line in sorted(found, reverse=True)]


if __name__ == "__main__":
    print("\n".join(of_late(sys.stdin.read(), int(sys.argv[1]), datetime.datetime.now(datetime.timezone.utc))), end="")
