#!/usr/bin/env bash
# Has checkov, cfn-guard (the Control Tower rule sets) and parliament judge what is deployed. What they find and we
# accept stands with its reason in judged.toml. Needs PyPI once, and npm for cfn-guard (without it that one is not asked).
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/infra/tools.sh
tools judges
judges=$root/target/tools/judges/bin
tools check

export AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

python tests/infra/templates.py target/infra/judged

# cfn-guard and its rules, as AWS packs them for the CDK: the program itself is on no Python registry.
packed=@cdklabs/cdk-validator-cfnguard@0.0.62
guard=target/tools/guard
asked=()
if ! command -v npm >/dev/null; then
  echo 'No npm: cfn-guard is not asked'
else
  if [ "$(cat "$guard/installed.txt" 2>/dev/null)" != "$packed" ]; then
    rm -rf "$guard"
    mkdir -p "$guard"
    npm install --prefix "$guard" --silent --no-audit --no-fund --ignore-scripts --omit=peer --legacy-peer-deps "$packed"
    echo "$packed" >"$guard/installed.txt"
  fi
  case $(uname -m) in arm64) machine=aarch64 ;; *) machine=$(uname -m) ;; esac
  case $(uname -s) in Darwin) system=macos ;; *) system=ubuntu ;; esac
  place=$guard/node_modules/@cdklabs/cdk-validator-cfnguard
  chmod +x "$place/bin/$system/$machine/cfn-guard"
  asked=("$place/bin/$system/$machine/cfn-guard" "$place/rules/control-tower/cfn-guard")
fi
PATH="$judges:$PATH" "$judges/python" -W ignore tests/infra/judge.py target/infra/judged ${asked[@]+"${asked[@]}"}
