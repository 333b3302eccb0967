"""Prints the versions that SAM publishes of a template whose code lies at a place: {logical id: alias}. Arguments: template, place."""

import json
import re
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    def load(self):
        return {}


path, place = sys.argv[1:]
source = re.sub(r"CodeUri: functions/(\w+)/", rf"CodeUri: s3://bucket/{place}/\1", open(path, encoding="utf-8").read())
result = transform(yaml_parse(source), {}, NoManagedPolicies())
versions = [name for name, resource in result["Resources"].items() if resource["Type"] == "AWS::Lambda::Version"]
json.dump(sorted(versions), sys.stdout)
