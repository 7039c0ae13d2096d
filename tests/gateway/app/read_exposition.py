"""Reads metrics in Prometheus's text format from standard input with a parser that is not Fettle's, and prints what it
read as JSON: {"types": {family: type}, "samples": {"name{label=value,...}": number}}. Exit code 3: no parser here."""

import json
import sys

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    sys.exit(3)

types = {}
samples = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    if family.name in types or not family.documentation or family.type == "unknown":
        sys.exit(f"family {family.name}: twice, or without HELP or TYPE")
    types[family.name] = family.type
    for sample in family.samples:
        labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
        key = f"{sample.name}{{{labels}}}"
        if key in samples:
            sys.exit(f"sample {key}: twice")
        samples[key] = sample.value
json.dump({"types": types, "samples": samples}, sys.stdout)
