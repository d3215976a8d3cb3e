#!/usr/bin/env python3
"""Who may include what: the one-way order between folders, and third-party headers in named files."""

import re
import sys
from pathlib import Path

# The folders that each folder may include from. An arrow may skip, never point back.
LAYERS = {
    "facts": [],
    "kubeclient": [],
    "storage": ["facts", "kubeclient"],
    "preflight": ["facts", "kubeclient", "storage"],
    "recovery": ["facts", "kubeclient", "storage", "preflight"],
    "commands": ["facts", "kubeclient", "storage", "preflight", "recovery"],
    "cli": ["facts", "kubeclient", "storage", "preflight", "recovery", "commands"],
    "lab": ["facts", "kubeclient", "storage", "preflight"],
}

# Files that may include from more folders than the rest of theirs.
EXCEPTIONS = {"commands/lab.cpp": ["lab"]}

# Third-party headers: where each may stand, and what to do elsewhere.
CONFINED = [
    (r"CLI/", r"cli/definitions\.cpp", "take the values that cli/definitions.hpp gives"),
    (r"httplib\.h", r"(kubeclient/http_exchange|lab/http_server)\.cpp", "send through kubeclient::Transport"),
    (r"openssl/", r"(kubeclient/(tls|tls_\w+|base64)|lab/certificates)\.cpp", "use kubeclient/tls.hpp or kubeclient/base64.hpp"),
    (r"yaml\.h", r"kubeclient/yaml\w*\.cpp", "use kubeclient/yaml.hpp"),
    (r"nlohmann/json\.hpp",
     r"((kubeclient|preflight|storage|commands|cli|lab)/.*|recovery/(execute|follower\w*|transfer))\.cpp",
     "include nlohmann/json_fwd.hpp in headers; facts know no JSON"),
    (r"doctest/", r"nowhere", "tests live in tests/"),
]

# Checks judge facts; JSON ends in the decoders.
NO_JSON = re.compile(r"preflight/(check\w*|judged?|question|disks|placement|rules|selection|migra\w+)\.(cpp|hpp)")

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]')


def problems_in(path: Path, root: Path):
    name = path.relative_to(root).as_posix()
    folder = name.split("/")[0]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(1)
        where = f"{name}:{number}: "
        target = header.split("/")[0]
        if target in LAYERS and target != folder and target not in LAYERS[folder] \
                and target not in EXCEPTIONS.get(name, []):
            allowed = ", ".join(LAYERS[folder]) or "no other folder"
            yield (f"{where}{folder}/ must not include {header}: it may use {allowed}. Move what is needed "
                   f"down, or pass it in as a value or function")
        for pattern, home, instead in CONFINED:
            if re.match(pattern, header) and not re.fullmatch(home, name):
                yield f"{where}{header} does not belong here: {instead}"
        if (header.startswith("nlohmann/") or header == "kubeclient/json.hpp") and NO_JSON.fullmatch(name):
            yield f"{where}no check sees JSON: decode it into facts first"
        if "/" not in header and (root / folder / header).exists():
            yield f'{where}write #include "{folder}/{header}", from the root'


def main():
    root = Path(sys.argv[1]).resolve()
    files = [path for folder in LAYERS for path in sorted((root / folder).glob("**/*.[ch]pp"))]
    if not files:
        sys.exit(f"error: no sources under {root}")
    problems = [problem for path in files for problem in problems_in(path, root)]
    print("\n".join(problems) or f"{len(files)} files keep the order")
    sys.exit(1 if problems else 0)


main()
