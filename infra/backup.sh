#!/usr/bin/env bash
# Makes an on-demand backup of every table of an installation, before a deployment say. Point-in-time recovery is on
# beside it; a backup stays until somebody deletes it.
#
# usage: infra/backup.sh ENVIRONMENT NAME      such as: infra/backup.sh prod before-v1.4.0
# Needs the AWS CLI with credentials and region. Does nothing where there are no tables yet.
set -euo pipefail

case "${1:-}" in
  -h | --help | '') sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
environment=$1 name=${2:?a name for the backups}
# A tag may hold what a backup's name may not.
name=${name//[^a-zA-Z0-9_.-]/-}

made=()
# The catalogue can be made again; it is small and its sync takes hours, so it is kept too.
for table in catalog auth library audit; do
  table=screensort-$environment-$table
  if ! aws dynamodb describe-continuous-backups --table-name "$table" >/dev/null 2>"${TMPDIR:-/tmp}/screensort-backup.$$"; then
    if grep -q NotFoundException "${TMPDIR:-/tmp}/screensort-backup.$$"; then
      echo "$table: not there yet"
      continue
    fi
    cat "${TMPDIR:-/tmp}/screensort-backup.$$" >&2
    exit 1
  fi
  made+=("$(aws dynamodb create-backup --table-name "$table" --backup-name "$table-$name" \
    --query BackupDetails.BackupArn --output text)")
done
rm -f "${TMPDIR:-/tmp}/screensort-backup.$$"

for backup in ${made[@]+"${made[@]}"}; do
  for _ in $(seq 180); do
    state=$(aws dynamodb describe-backup --backup-arn "$backup" \
      --query BackupDescription.BackupDetails.BackupStatus --output text)
    [ "$state" = CREATING ] || break
    sleep 5
  done
  echo "$backup: $state"
  [ "$state" = AVAILABLE ]
done
