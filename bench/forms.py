"""Draw specimen forms and score what shizi finds in them.

python bench/forms.py --score                    300 VAT invoices, a tenth with one printed figure falsified
python bench/forms.py --score --kinds tickets    train tickets, taxi and machine-printed receipts
python bench/forms.py --score --kinds tables     200 tables: ruled, partly ruled, without rules; and pages without
python bench/forms.py --draw DIR --count 12      the pictures with their truth, to look at
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from forms import score_invoices, score_tables
from forms.invoices import specimen


def draw(folder: Path, count: int, kinds: str, seed: int) -> None:
    """Write pictures and what they say."""
    folder.mkdir(parents=True, exist_ok=True)
    for which in score_invoices.order(count, kinds, seed):
        drawn = specimen(*which)
        name = f"{which[0]}-{drawn.kind}-{drawn.condition}"
        drawn.picture.save(folder / f"{name}.png")
        truth = {"fields": drawn.fields, "falsified": drawn.falsified}
        (folder / f"{name}.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1))


def score(kinds: str, count: int, seed: int, processes: int, kept: Path | None) -> None:
    """Read the specimens of some kinds, print the figures, and keep them."""
    if kinds == "tables":
        score_tables.run(count, seed, kept)
        return
    report = score_invoices.score(count, kinds, seed, processes, kept)
    score_invoices.show(report)
    if kept:
        score_invoices.write(report, kept)


def main() -> None:
    """Take the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", action="store_true", help="read the forms and print the figures")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="write the pictures and their truth")
    parser.add_argument("--kinds", choices=("vat", "tickets", "tables"), default="vat")
    parser.add_argument("--count", type=int, help="specimens (300; tables 200)")
    parser.add_argument("--seed", type=int, help="10000; of tables 1")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures and every failure")
    chosen = parser.parse_args()
    count = chosen.count or (200 if chosen.kinds == "tables" else 300)
    seed = chosen.seed if chosen.seed is not None else 1 if chosen.kinds == "tables" else 10_000
    if chosen.draw and chosen.kinds == "tables":
        score_tables.draw(chosen.draw, count, seed)
    elif chosen.draw:
        draw(chosen.draw, count, chosen.kinds, seed)
    if chosen.score:
        score(chosen.kinds, count, seed, chosen.processes, chosen.json)


if __name__ == "__main__":
    main()
