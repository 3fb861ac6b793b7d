#!/usr/bin/env bash
# Restores a table to a point in time, into a new table beside it, and gives the new one what a restore leaves out:
# the stream, the expiry of items, point-in-time recovery, protection against deletion, tags and the resource policy.
# It changes nothing of the old table. What to do then: docs/runbook.md, "Restore a table".
#
# usage: infra/restore.sh [--dry-run] TABLE TIME [NEW-TABLE]
#   TABLE      such as screensort-prod-library
#   TIME       such as 2026-11-22T14:05:00Z; at most 35 days ago, at least five minutes ago; or `latest`
#   NEW-TABLE  the default is TABLE-restored-YYYYMMDDHHMM
#   --dry-run  checks all that can be checked and prints the calls instead of making them
# Needs the AWS CLI with credentials and region, and Python 3.
set -euo pipefail

usage() { sed -n '2,11s/^# \{0,1\}//p' "$0"; }
dry=no
case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  --dry-run) dry=yes; shift ;;
esac
[ $# -ge 2 ] && [ $# -le 3 ] || { usage >&2; exit 2; }
table=$1 time=$2

refuse() { echo "restore.sh: $1" >&2; exit 1; }
# Seconds since 1970; "latest" is as late as there is.
read_time='import datetime, sys
when = datetime.datetime.fromisoformat(sys.argv[1].replace("Z", "+00:00"))
assert when.tzinfo
print(int(when.timestamp()))'
if [ "$time" = latest ]; then
  seconds=$(date -u +%s)
else
  seconds=$(python3 -c "$read_time" "$time" 2>/dev/null) || refuse "$time is not a time such as 2026-11-22T14:05:00Z"
fi
show() { python3 -c 'import sys, time; print(time.strftime(sys.argv[2], time.gmtime(int(sys.argv[1]))))' "$1" "${2:-%Y-%m-%dT%H:%M:%SZ}"; }
new=${3:-$table-restored-$(show "$seconds" %Y%m%d%H%M)}

# What the old table is like.
recovery=$(aws dynamodb describe-continuous-backups --table-name "$table" --output json) || refuse "there is no table $table"
read -r earliest latest < <(python3 - "$recovery" <<'PYTHON'
import datetime, json, sys
recovery = json.loads(sys.argv[1])["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
    print("0 0")
else:
    def at(value):
        return int(value if isinstance(value, (int, float)) else datetime.datetime.fromisoformat(value).timestamp())
    print(at(recovery["EarliestRestorableDateTime"]), at(recovery["LatestRestorableDateTime"]))
PYTHON
)
[ "$latest" != 0 ] || refuse "$table has no point-in-time recovery"
if [ "$time" = latest ]; then
  when=(--use-latest-restorable-time)
  seconds=$latest
else
  when=(--restore-date-time "$seconds")
fi
[ "$seconds" -ge "$earliest" ] && [ "$seconds" -le "$latest" ] ||
  refuse "$table can be restored to between $(show "$earliest") and $(show "$latest")"
! aws dynamodb describe-table --table-name "$new" >/dev/null 2>&1 || refuse "there is a table $new already"
describe() { aws dynamodb describe-table --table-name "$table" --query "$1" --output "${2:-text}"; }
arn=$(describe Table.TableArn)
stream=$(describe Table.StreamSpecification.StreamViewType)
key=$(describe Table.SSEDescription.KMSMasterKeyArn)
expiry=$(aws dynamodb describe-time-to-live --table-name "$table" --query TimeToLiveDescription.AttributeName --output text)
tags=$(aws dynamodb list-tags-of-resource --resource-arn "$arn" --query "Tags[?!starts_with(Key, 'aws:')]" --output json)
policy=$(aws dynamodb get-resource-policy --resource-arn "$arn" --query Policy --output text 2>/dev/null || echo None)

echo "$table as it was at $(show "$seconds"), into $new"
echo "  key $key, expiry by $expiry, stream $stream"
run() {
  if [ "$dry" = yes ]; then
    printf '  would run:'; printf ' %q' "$@"; printf '\n'
  else
    "$@" >/dev/null
  fi
}

run aws dynamodb restore-table-to-point-in-time --source-table-name "$table" --target-table-name "$new" \
  "${when[@]}" \
  --sse-specification-override "Enabled=true,SSEType=KMS,KMSMasterKeyId=$key"
run aws dynamodb wait table-exists --table-name "$new"
if [ "$dry" = no ]; then
  # "exists" is true while it is still being filled.
  until [ "$(aws dynamodb describe-table --table-name "$new" --query Table.TableStatus --output text)" = ACTIVE ]; do
    sleep 20
  done
fi
run aws dynamodb update-continuous-backups --table-name "$new" \
  --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
[ "$expiry" = None ] || run aws dynamodb update-time-to-live --table-name "$new" \
  --time-to-live-specification "Enabled=true,AttributeName=$expiry"
run aws dynamodb update-table --table-name "$new" --deletion-protection-enabled
run aws dynamodb wait table-exists --table-name "$new"
[ "$stream" = None ] || run aws dynamodb update-table --table-name "$new" \
  --stream-specification "StreamEnabled=true,StreamViewType=$stream"
[ "$tags" = '[]' ] || run aws dynamodb tag-resource --resource-arn "${arn%/*}/$new" --tags "$tags"
# It names the table, so that the new one's must name the new one.
[ "$policy" = None ] || run aws dynamodb put-resource-policy --resource-arn "${arn%/*}/$new" \
  --policy "${policy//"$arn"/"${arn%/*}/$new"}"
if [ "$dry" = yes ]; then
  echo 'Nothing was changed.'
else
  echo "$new is there."
  [ "$stream" = None ] || aws dynamodb describe-table --table-name "$new" --query Table.LatestStreamArn --output text
fi
