"""Writes an object as YAML, spelled now this way and now that."""
import json
import re

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9/.-]*$")
NOT_TEXT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}


def scalar(rng, value):
    if value is None:
        return rng.choice(["null", "~", "Null"])
    if value is True or value is False:
        word = str(value).lower()
        return rng.choice([word, word.capitalize()])
    if isinstance(value, str) and PLAIN.match(value) and value.lower() not in NOT_TEXT:
        return rng.choice([value, f"'{value}'", json.dumps(value)])
    return json.dumps(value)


def is_flow(rng, value):
    return not value or rng.random() < 0.15


def lines(rng, value, indent):
    """The block lines of an object or list with members."""
    blanks = " " * indent
    entries = value.items() if isinstance(value, dict) else [(None, member) for member in value]
    for key, member in entries:
        head = f"{blanks}-" if key is None else f"{blanks}{scalar(rng, key)}:"
        if not isinstance(member, (dict, list)):
            yield f"{head} {scalar(rng, member)}"
        elif is_flow(rng, member):
            yield f"{head} {json.dumps(member)}"
        else:
            yield head
            yield from lines(rng, member, indent + rng.choice([1, 2, 4]))


def dump(rng, value):
    return "\n".join(lines(rng, value, 0)) + "\n"
