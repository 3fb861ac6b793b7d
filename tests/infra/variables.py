"""Prints a deployed function's environment as `export` lines: what commands need to work on that installation.

usage: variables.py FUNCTION   with credentials and region in the environment, as for the AWS CLI
"""

import shlex
import sys

import boto3

found = boto3.client("lambda").get_function_configuration(FunctionName=sys.argv[1])
for name, value in sorted(found["Environment"]["Variables"].items()):
    if value:
        print(f"export {name}={shlex.quote(value)}")
