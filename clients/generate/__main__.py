"""Makes the SDKs' types of the service's description, so that no SDK says other than the service does.

Takes the OpenAPI description (a file, or standard input), writes the types of answers and of reading options in Python,
TypeScript and Java. `make client-types` runs it; a test fails while what is committed differs from what it would write.
Knows nothing of how an SDK sends requests.
"""

import argparse
import json
import sys

import in_java
import in_python
import in_typescript
from schema import CLIENTS


def main() -> None:
    """Write all files; with `--check` write nothing and fail if one differs."""
    arguments = argparse.ArgumentParser(description="Make the clients' types of the service's description.")
    arguments.add_argument("description", nargs="?", type=argparse.FileType(), default=sys.stdin)
    arguments.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    chosen = arguments.parse_args()
    description = json.load(chosen.description)
    for language in (in_python, in_typescript, in_java):
        for path, content in language.written(description).items():
            if not chosen.check:
                path.write_text(content)
            elif not path.exists() or path.read_text() != content:
                raise SystemExit(
                    f"{path.relative_to(CLIENTS)} is not what the service says of itself: make client-types"
                )


if __name__ == "__main__":
    main()
