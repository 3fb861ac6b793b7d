#!/usr/bin/env bash
# Checks template.yaml, its stacks and what belongs to them, as they stand and expanded. Needs PyPI once, then nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/infra/tools.sh
tools check

# No account is asked: neither credentials nor a region of anybody's are used.
export AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

# Each stack as CloudFormation gets it, and all of them in one, for judging.
stacks=target/infra/stacks expanded=target/infra/expanded.json
mkdir -p target/infra

echo '- generated parts are current'
python infra/generate.py --check
echo '- sam validate --lint'
# Those in which SAM has most to say; expansion and cfn-lint, below, do the same for every one.
for stack in template.yaml infra/stacks/{edge,accounts,jobs}.yaml; do
  sam validate --lint --template "$stack" >target/infra/validated.log 2>&1 || { cat target/infra/validated.log; exit 1; }
done
echo '- expansion'
python tests/infra/expand.py template.yaml "$expanded" "$stacks"
echo '- cfn-lint on the sources and on the expanded templates'
cfn-lint template.yaml infra/stacks/*.yaml
cfn-lint --regions eu-west-1 us-east-1 -- "$stacks"/*.json
echo '- the product'\''s own rules'
python -m unittest discover --quiet --start-directory tests/infra --pattern 'test_*.py'
