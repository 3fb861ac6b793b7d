#!/usr/bin/env bash
# Writes what the product is made of: a CycloneDX 1.5 document in JSON for each package under functions/, with every
# crate that goes into its functions, its version, licence and checksum. The tool is built once, into target/tools.
#
# usage: infra/bill-of-materials.sh [FOLDER]      default: target/bill-of-materials
set -euo pipefail
case "${1:-}" in -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
cd "$(dirname "$0")/.."
folder=${1:-target/bill-of-materials}
version=0.5.9
tool=target/tools/cyclonedx-$version
[ -x "$tool/bin/cargo-cyclonedx" ] ||
  cargo install --quiet --locked --version "=$version" --root "$tool" --target-dir "$tool/build" cargo-cyclonedx
rm -rf "$tool/build"
# What runs in AWS: its target, without what only builds or tests.
PATH="$PWD/$tool/bin:$PATH" cargo cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps \
  --target aarch64-unknown-linux-gnu --override-filename screensort-bom
mkdir -p "$folder"
for manifest in functions/*/screensort-bom.json; do
  mv "$manifest" "$folder/screensort-$(basename "$(dirname "$manifest")").cdx.json"
done
find shared local tests -maxdepth 2 -name screensort-bom.json -delete
python3 - "$folder" <<'PYTHON'
import json, sys
from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("*.cdx.json")):
    bill = json.loads(path.read_text())
    assert bill["bomFormat"] == "CycloneDX" and bill["components"], path
    unlicensed = [part["name"] for part in bill["components"] if not part.get("licenses")]
    print(f"{path.name}: {len(bill['components'])} crates" + (f", no licence named: {', '.join(unlicensed)}" if unlicensed else ""))
PYTHON
