#!/usr/bin/env python3
"""What a reviewer should not have to look for: format, banned functions, who looks into secrets,
clang's opinion, and that text files are tidy.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Unbounded, locale-dependent, or an allocation past base/mem. base/ is where they are wrapped.
BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|malloc|calloc|realloc|free|strdup|"
    r"strndup|asprintf|alloca|system|popen|setenv|putenv|getpwuid|localtime|gmtime|rand|srand|"
    r"cJSON_Parse|cJSON_Print)\s*\("
)
# The only files that may look into a secret: where it leaves for the wire, is rendered into a
# Secret, or is compared with what a Secret holds.
MAY_REVEAL = {
    "api/credential.c", "api/target.c", "api/template.c", "base/secret.c", "kube/config.c",
    "kube/exec_credential.c", "kube/login.c", "net/http_options.c", "net/websocket.c",
}
CLANG_FLAGS = (
    "-std=gnu17 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Wshadow -Wconversion "
    "-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wswitch-enum -Wformat=2 -Wundef -Werror"
).split()


def tracked(*patterns):
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout
    return [ROOT / name for name in listing.splitlines() if (ROOT / name).exists()]


def without_comments(text):
    """Comments and string literals blanked, lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', blank, text, flags=re.S)


def check_code(path):
    relative = str(path.relative_to(ROOT))
    inside = relative.removeprefix("controller/")
    text = without_comments(path.read_text())
    for number, line in enumerate(text.splitlines(), 1):
        if relative.startswith("controller/") and not inside.startswith("base/"):
            if found := BANNED.search(line):
                yield f"{relative}:{number}: {found[1]}() is banned outside base/"
        if "secret_reveal(" in line and inside not in MAY_REVEAL and "controller/" in relative \
                and inside != "base/secret.h":
            yield f"{relative}:{number}: only {', '.join(sorted(MAY_REVEAL))} may look into a secret"


def check_text(path):
    relative = path.relative_to(ROOT)
    text = path.read_text()
    if text and not text.endswith("\n"):
        yield f"{relative}: no newline at the end"
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip():
            yield f"{relative}:{number}: white space at the end of the line"
        # In tests clang-format breaks what can be broken; tables of long strings may stay.
        if relative.parts[0] == "controller" and path.suffix in (".c", ".h") and len(line) > 100:
            yield f"{relative}:{number}: longer than 100 columns"


def tool(command):
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.stdout if done.returncode else ""


def check_with_clang(path):
    output = tool(["clang-format", "--dry-run", "-Werror", str(path)])
    if path.suffix == ".c":
        include = ["-Icontroller", f"-I{path.parent}"] if "tests" in path.parts else ["-Icontroller"]
        output += tool(["clang", *CLANG_FLAGS, *include, str(path)])
    return output


def main():
    sources = tracked("*.c", "*.h")
    texts = tracked("*.c", "*.h", "*.py", "*.sh", "*.md", "*.yaml", "*.js", "Makefile", ".ci/run")
    problems = [p for path in sources for p in check_code(path)]
    problems += [p for path in texts for p in check_text(path)]
    with ThreadPoolExecutor(2) as pool:
        problems += [output.rstrip() for output in pool.map(check_with_clang, sources) if output]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"lint: {len(sources)} sources, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
