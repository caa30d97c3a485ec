"""Which crates does a public API name?  python3 scripts/public_api.py target/public-api/doc/pki_core.json

Reads rustdoc's JSON and lists every place in a public item (a field, a parameter, a return value, a bound, an implemented
trait) whose type or trait comes from a crate that is not allowed. The crates underneath move faster than a CA may, so none
of their types may stand there.
"""

import json
import sys

# The standard library, and memory that is wiped when dropped.
ALLOWED = {"std", "core", "alloc", "zeroize"}
# What the features of these names are there for.
ALLOWED |= {"serde_core", "rcgen", "rustls_pki_types"}


def named_types(node):
    """Every (path, id) below a JSON node: resolved types as well as traits in bounds and impls."""
    if isinstance(node, dict):
        if isinstance(node.get("id"), int) and isinstance(node.get("path"), str):
            yield node["path"], node["id"]
        for value in node.values():
            yield from named_types(value)
    elif isinstance(node, list):
        for value in node:
            yield from named_types(value)


def is_written_by_us(item):
    """Not a blanket implementation of another crate, nor an automatic one such as `Send`."""
    implementation = item["inner"].get("impl")
    return implementation is None or not (implementation["is_synthetic"] or implementation["blanket_impl"])


def main(file):
    with open(file, encoding="utf-8") as text:
        document = json.load(text)
    paths, crates = document["paths"], document["external_crates"]
    owners = {}  # an item's id -> the path of what contains it, for the message
    for identifier, summary in paths.items():
        owners[identifier] = "::".join(summary["path"])
    found = set()
    checked = 0
    for identifier, item in document["index"].items():
        if item["crate_id"] != 0 or not is_written_by_us(item):
            continue
        checked += 1
        for path, target in named_types(item["inner"]):
            summary = paths.get(str(target))
            if summary is None or summary["crate_id"] == 0:
                continue
            crate = crates[str(summary["crate_id"])]["name"]
            if crate not in ALLOWED:
                place = owners.get(identifier) or item.get("name") or "an implementation"
                line = (item.get("span") or {}).get("begin", ["?"])[0]
                source = (item.get("span") or {}).get("filename", "?")
                found.add(f"{source}:{line}: {place} names {'::'.join(summary['path'])} of the crate {crate}")
    if checked == 0:
        sys.exit(f"{file} holds no item of the crate: is it rustdoc's JSON?")
    for line in sorted(found):
        print(line)
    if found:
        sys.exit(f"{len(found)} foreign types in the public API; allowed crates are {', '.join(sorted(ALLOWED))}")
    print(f"{checked} public items name no type of another crate")


if __name__ == "__main__":
    main(sys.argv[1])
