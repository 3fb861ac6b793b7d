#!/usr/bin/env bash
# Builds five functions with cargo lambda for this machine, runs them under its emulator of the Lambda runtime API
# against the local server's services, and checks what they answer to the recorded events, hostile ones included.
#
# SCREENSORT_SERVER    the local server's binary; built as `cargo run` does without it
# SCREENSORT_COMPILER  cargo (default: this machine's linker) or cargo-zig (as for deployment; slower)
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/infra/tools.sh
tools lambda

target=${CARGO_TARGET_DIR:-target}
functions=$PWD/target/infra/lambda
work=$(mktemp -d)
started=()
finish() {
  local code=$?
  [ "$code" = 0 ] || tail -n 30 "$work"/*.log >&2 || true
  [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# wait_for TEXT FILE: until a line of the file holds the text.
wait_for() {
  for _ in $(seq 300); do
    grep -qF -- "$1" "$2" 2>/dev/null && return
    sleep 0.1
  done
  echo "no \"$1\" in 30 s" >&2
  return 1
}

echo '- what only the local server needs is in no function'
areas=()
for area in functions/*/; do areas+=(--package "screensort-$(basename "$area")"); done
strangers=$(cargo tree --locked --edges normal --prefix none --format '{p}' "${areas[@]}" |
  grep -E '^(aws-config|aws-lc-[a-z]+|dynoxide[a-z-]*|native-tls|openssl|openssl-sys|winterbaume[a-z0-9-]*) ' | sort -u || true)
[ -z "$strangers" ] || {
  echo "$strangers" >&2
  exit 1
}

echo '- cargo lambda build'
# Every area at once, as deploy.sh does: another set of packages would compile the SDKs with other features.
tried=(health movie movies search thumbs_action)
cargo lambda build --locked --compiler "${SCREENSORT_COMPILER:-cargo}" --lambda-dir "$functions" \
  "${areas[@]}" "${tried[@]/#/--bin=}"
server=${SCREENSORT_SERVER:-}
if [ -z "$server" ]; then
  cargo build --locked --bin screensort
  server=$target/debug/screensort
fi

read -r dynamodb services runtime < <(python3 - <<'PYTHON'
import socket
sockets = [socket.socket() for _ in range(3)]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
PYTHON
)

echo '- the local services'
"$server" --memory --port 0 --service-ports "$dynamodb,$services" >"$work/server.log" 2>&1 &
started+=($!)
wait_for 'export SCREENSORT_TABLE_CATALOG=' "$work/server.log"
grep -E '^ *export [A-Z_]+=' "$work/server.log" >"$work/environment"

echo '- the runtime emulator and the functions'
cargo lambda watch --only-lambda-apis --invoke-address 127.0.0.1 --invoke-port "$runtime" >"$work/runtime.log" 2>&1 &
started+=($!)
python3 - "$runtime" <<'PYTHON'
import socket, sys, time
for _ in range(300):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("the emulator does not listen")
PYTHON
for name in "${tried[@]}"; do
  (
    . "$work/environment"
    export AWS_LAMBDA_FUNCTION_NAME=$name AWS_LAMBDA_FUNCTION_VERSION=1 AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024
    export AWS_LAMBDA_RUNTIME_API=http://127.0.0.1:$runtime/.rt/$name
    exec "$functions/$name/bootstrap"
  ) >"$work/$name.log" 2>&1 &
  started+=($!)
done

echo '- cargo lambda invoke'
python3 tests/infra/invoke.py "$runtime"
kill -0 "${started[@]}"
