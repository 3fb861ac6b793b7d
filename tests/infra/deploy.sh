#!/usr/bin/env bash
# Deploys the stack with `sam deploy` to an emulator of AWS on this machine, gives it keys, films and an administrator
# by the commands of docs/deploy.md, and calls it through the emulator's REST API. The emulator enforces the roles'
# policies. Needs crates.io and PyPI once, then nothing.
#
# SCREENSORT_SERVER    the local server's binary; built as `cargo run` does without it
# SCREENSORT_COMPILER  cargo (default: this machine's linker) or cargo-zig (as for deployment; slower)
# KEEP=yes             leaves the emulator running and says where
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/infra/tools.sh
tools lambda
tools emulator
emulator=$root/target/tools/emulator/bin
tools check

environment=proof region=eu-west-1
work=$(mktemp -d)
started=()
finish() {
  local code=$?
  if [ "$code" != 0 ]; then
    cp "$work"/*.log target/infra/ || true
    tail -n 15 "$work"/*.log >&2 || true
    echo 'more in target/infra/*.log' >&2
  fi
  [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

began=$SECONDS
step() { printf -- '- %s (%d s)\n' "$1" $((SECONDS - began)); }

step 'cargo lambda build: the functions that the smoke run touches'
# Every area at once, though not every binary: another set of packages would compile the SDKs with other features.
packages=$(for area in functions/*/; do echo "--package screensort-$(basename "$area")"; done)
binaries=$(sed 's/#.*//; s/[^ ][^ ]*/--bin &/g' tests/infra/touched.txt)
# shellcheck disable=SC2086
cargo lambda build --locked --compiler "${SCREENSORT_COMPILER:-cargo}" --lambda-dir target/infra/lambda \
  $packages $binaries
server=${SCREENSORT_SERVER:-}
if [ -z "$server" ]; then
  cargo build --locked --bin screensort
  server=${CARGO_TARGET_DIR:-target}/debug/screensort
fi
# Without what only a debugger reads, uploads are a third.
for program in target/infra/lambda/*/bootstrap; do strip --strip-debug "$program"; done

step 'the emulator'
export GATEWAY_PORT BIND_HOST=127.0.0.1 AUTH=true MINISTACK_REGION=$region LAMBDA_EXECUTOR=local LOG_LEVEL=WARNING
GATEWAY_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ENDPOINT_URL=http://127.0.0.1:$GATEWAY_PORT AWS_REGION=$region AWS_DEFAULT_REGION=$region
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0
unset AWS_PROFILE AWS_SESSION_TOKEN
TMPDIR=$work "$emulator/ministack" >"$work/emulator.log" 2>&1 &
started+=($!)
for _ in $(seq 300); do
  python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)' \
    "$AWS_ENDPOINT_URL/_ministack/health" 2>/dev/null && break
  kill -0 "${started[0]}"
  sleep 0.2
done

step 'sam deploy'
PYTHONPATH= "$emulator/python" - >"$work/known" <<'PYTHON'
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS
print(*sorted(_RESOURCE_HANDLERS), sep="\n")
PYTHON
python tests/infra/prepare.py target/infra/lambda "$work/known"
(cd target/infra/deployment && sam deploy --template-file template.yaml --stack-name "screensort-$environment" \
  --region $region --resolve-s3 --capabilities CAPABILITY_IAM CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND \
  --no-confirm-changeset --no-progressbar --parameter-overrides Environment=$environment Architecture=x86_64 \
  SecurityContact=mailto:security@example.org AppUrl=https://app.example.org MailDomain=example.org) \
  >"$work/sam.log" 2>&1

step 'keys, films, an administrator, a domain that mail comes from'
python tests/infra/variables.py "screensort-$environment-health" >"$work/variables"
# shellcheck source=/dev/null
. "$work/variables"
"$server" first-keys
python - <<'PYTHON'
import boto3
boto3.client("ses").verify_domain_identity(Domain="example.org")
PYTHON
"$server" import --aws local/sample/films.ndjson
"$server" first-admin --username admin --email admin@example.org >"$work/admin"

step 'the smoke run'
smoke=(python tests/infra/smoke.py "screensort-$environment" "$work/admin")
if [ "${KEEP:-}" = yes ]; then
  "${smoke[@]}" || true
  echo "AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test; Ctrl-C ends it"
  cp "$work/admin" target/infra/admin
  wait "${started[0]}"
fi
"${smoke[@]}"
# What each endpoint took of the store: infra/costs.toml has these figures.
python infra/costs.py --measure "screensort-$environment" >target/infra/measured.toml
step 'deployed and called'
