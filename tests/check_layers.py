#!/usr/bin/env python3
"""Holds the layers: who may include whom, that the pure parts call nothing impure, and that what is
there for the crash tests only is in no release.

    check_layers.py DIRECTORY-WITH-RELEASE-OBJECTS

The includes are read from the sources; the calls by `nm -u` from the objects of api/, reconcile/ and
deepgram/, against a list of what is allowed; failpoints are looked for in all objects.
"""

import re
import subprocess
import sys
from pathlib import Path

CONTROLLER = Path(__file__).resolve().parents[1] / "controller"

# Layer → the layers that it may include. kube/ has a pure half and one that moves bytes.
KUBE_PURE = {"path", "status", "watch_decoder", "store", "managed_fields", "phrases"}
MAY_INCLUDE = {
    "base": {"base"},
    "api": {"base", "api"},
    "reconcile": {"base", "api", "reconcile"},
    "deepgram": {"base", "api", "deepgram"},
    "kube-pure": {"base", "api", "kube-pure"},
    "net": {"base", "net"},
    "kube": {"base", "api", "kube-pure", "net", "kube"},
    "operator": {"base", "api", "reconcile", "deepgram", "kube-pure", "net", "kube", "operator"},
    "plugin": {"base", "api", "reconcile", "deepgram", "kube-pure", "net", "kube", "operator",
               "plugin"},
}
# Libraries and the only files that may include them.
ONLY_IN = {
    r"curl/": r"net/http\w*\.[ch]",
    r"libwebsockets": r"net/(server|websocket)\w*\.[ch]",
    r"yaml\.h": r"kube/yaml\.c",
    r"openssl/": r"(base/base64|net/websocket)\.c",
}
PURE = ("api", "reconcile", "deepgram")
PURE_BASE = ("mem", "err", "buf", "json", "json_items", "base64", "secret", "utf8", "backoff",
             "fingerprint")
# What a pure function may call of libc and cJSON. The __*_chk forms are their fortified twins.
ALLOWED = re.compile(
    r"^(_+)?("
    r"(mem|str|stp)(cpy|move|set|cmp|chr|rchr|len|nlen|ncmp|casecmp|ncasecmp|spn|cspn|str|cat|ncat"
    r"|ncpy|pbrk|mem|dup|ndup)|rawmemchr|explicit_bzero"
    r"|v?snprintf|str(to|tou)(l|ll|ull|ul|d|imax)|isoc\d+_strto\w+|qsort|bsearch"
    r"|is(alnum|alpha|digit|xdigit|space|upper|lower|print)|to(upper|lower)|ctype_\w+_loc"
    r"|assert_fail|stack_chk_fail|cJSON_\w+"
    r")(_chk)?$"
)


def layer(path):
    top = path.parent.name if path.parent != CONTROLLER else "main"
    if top == "kube":
        return "kube-pure" if path.stem in KUBE_PURE else "kube"
    return top


def check_includes(problems):
    for source in sorted(CONTROLLER.rglob("*.[ch]")):
        if source == CONTROLLER / "main.c":
            continue
        relative = source.relative_to(CONTROLLER)
        for quote, name in re.findall(r'^#include ([<"])([^>"]+)', source.read_text(), re.M):
            if quote == '"':
                target = layer(CONTROLLER / name)
                if target not in MAY_INCLUDE[layer(source)]:
                    problems.append(f"{relative} includes {name}: {layer(source)} may not see {target}")
                continue
            for library, files in ONLY_IN.items():
                if re.match(library, name) and not re.fullmatch(files, str(relative)):
                    problems.append(f"{relative} includes <{name}>, which only {files} may")


def symbols(objects, flag):
    if not objects:
        return {}
    listing = subprocess.run(["nm", "-A", flag, *map(str, objects)], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    found = {}
    for line in listing.splitlines():
        name, rest = line.split(":", 1)
        found.setdefault(name, set()).add(rest.split()[-1])
    return found


def check_calls(objects, problems):
    def of(names):
        return [o for n in names for o in sorted((objects / "controller" / n).glob("*.o"))]

    pure = of(PURE)
    if not pure:
        problems.append(f"{objects} has no objects of {', '.join(PURE)}: build first")
    base = [o for o in of(["base"]) if o.stem in PURE_BASE]
    provided = set().union(*symbols(pure + base, "--defined-only").values())
    for name, undefined in symbols(pure, "-u").items():
        for symbol in sorted(undefined - provided):
            if symbol != "_GLOBAL_OFFSET_TABLE_" and not ALLOWED.match(symbol):
                problems.append(f"{name} calls {symbol}, which no pure function may")


def check_failpoints(objects, problems):
    for path in sorted(objects.rglob("*.o")):
        if re.search(rb"DEEPGRAM_OPERATOR_FAILPOINT|\bfailpoint_\w", path.read_bytes()):
            problems.append(f"{path} has failpoints: a release can't be made to end itself")


def main(objects):
    problems = []
    check_includes(problems)
    check_calls(Path(objects), problems)
    check_failpoints(Path(objects), problems)
    for problem in problems:
        print(f"check-layers: {problem}", file=sys.stderr)
    if not problems:
        print("check-layers: the arrows hold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
