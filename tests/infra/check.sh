#!/usr/bin/env bash
# Checks template.yaml and what belongs to it, as it stands and expanded. Needs PyPI once, then nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/infra/tools.sh
tools check

# No account is asked: neither credentials nor a region of anybody's are used.
export AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

expanded=target/infra/expanded.json
mkdir -p target/infra

echo '- generated parts are current'
python infra/generate.py --check
echo '- sam validate --lint'
sam validate --lint --template template.yaml
echo '- expansion'
python tests/infra/expand.py template.yaml "$expanded"
echo '- cfn-lint on the source and on the expanded template'
cfn-lint template.yaml
cfn-lint --regions eu-west-1 us-east-1 --template "$expanded"
echo '- the product'\''s own rules'
python -m unittest discover --quiet --start-directory tests/infra --pattern 'test_*.py'
