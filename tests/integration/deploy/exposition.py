"""Reads the text format of Prometheus (0.0.4) and refuses what `promtool check metrics` would: a lint for our own /metrics."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
SUFFIXES = ("_bucket", "_sum", "_count")


class Bad(Exception):
    """The text is not as it should be."""


class Family:
    def __init__(self, name):
        self.name, self.type, self.help = name, None, None
        self.values = {}        # (sample's name, labels as a sorted tuple) -> float


def labels_of(text, line):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise Bad(f"labels: {line}")
        if match.group(1) in labels:
            raise Bad(f"a label twice: {line}")
        labels[match.group(1)] = re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), match.group(2))
        at = match.end()
    return labels


def family_name(sample, families):
    for suffix in SUFFIXES:
        base = sample.removesuffix(suffix)
        if base != sample and base in families and families[base].type == "histogram":
            return base
    return sample


def check_histogram(family):
    series = {}
    for (name, labels), value in family.values.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        one = series.setdefault(rest, {"buckets": []})
        if name.endswith("_bucket"):
            one["buckets"].append((float(dict(labels)["le"].replace("+Inf", "inf")), value))
        else:
            one[name.removeprefix(family.name)] = value
    for labels, one in series.items():
        bounds = [bound for bound, _ in one["buckets"]]
        counts = [count for _, count in one["buckets"]]
        if bounds != sorted(bounds) or counts != sorted(counts) or bounds[-1] != float("inf"):
            raise Bad(f"{family.name}{labels}: buckets {one['buckets']}")
        if counts[-1] != one.get("_count") or "_sum" not in one:
            raise Bad(f"{family.name}{labels}: count {one.get('_count')}, last bucket {counts[-1]}")


def check_family(family):
    if not family.type or not family.help:
        raise Bad(f"{family.name}: no TYPE or no HELP")
    if not family.values:
        raise Bad(f"{family.name}: no values")
    if (family.type == "counter") != family.name.endswith("_total"):
        raise Bad(f"{family.name} is a {family.type}: counters, and no others, end with _total")
    if family.type == "counter" and min(family.values.values()) < 0:
        raise Bad(f"{family.name}: a counter below 0")
    if family.type == "histogram":
        check_histogram(family)


def comment(families, current, line):
    kind, name, rest = line[2:].split(" ", 2)
    if kind == "HELP":
        if name in families:
            raise Bad(f"{name} comes twice")
        current = families[name] = Family(name)
        current.help = rest
    elif kind == "TYPE":
        if not current or current.name != name or current.values:
            raise Bad(f"TYPE out of place: {line}")
        current.type = rest
    return current


def read(text):
    """The families of a page, by name."""
    if not text.endswith("\n"):
        raise Bad("no newline at the end")
    families, current = {}, None
    for line in text.split("\n")[:-1]:
        if line.startswith("# "):
            current = comment(families, current, line)
            continue
        match = SAMPLE.match(line)
        if not match:
            raise Bad(f"no sample: {line!r}")
        name = family_name(match.group(1), families)
        if not current or current.name != name:
            raise Bad(f"{line}: outside of its family")
        key = (match.group(1), tuple(sorted(labels_of(match.group(2) or "", line).items())))
        if key in current.values:
            raise Bad(f"twice: {line}")
        current.values[key] = float(match.group(3))
    for family in families.values():
        check_family(family)
    return families


def total(families, name, **labels):
    """The sum of the samples of that name that have these labels."""
    family = families[family_name(name, families)]
    return sum(value for (sample, having), value in family.values.items()
               if sample == name and labels.items() <= dict(having).items())
