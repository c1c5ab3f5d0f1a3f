"""Draw specimen forms and score what shizi finds in them.

python bench/forms.py --score                    300 VAT invoices, a tenth with one printed figure falsified
python bench/forms.py --score --kinds tickets    train tickets, taxi and machine-printed receipts
python bench/forms.py --draw DIR --count 12      the pictures with their truth, to look at
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from forms import score_invoices
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


def main() -> None:
    """Take the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", action="store_true", help="read the forms and print the figures")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="write the pictures and their truth")
    parser.add_argument("--kinds", choices=("vat", "tickets"), default="vat")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures and every failure")
    chosen = parser.parse_args()
    if chosen.draw:
        draw(chosen.draw, chosen.count, chosen.kinds, chosen.seed)
    if chosen.score:
        report = score_invoices.score(chosen.count, chosen.kinds, chosen.seed, chosen.processes, chosen.json)
        score_invoices.show(report)
        if chosen.json:
            score_invoices.write(report, chosen.json)


if __name__ == "__main__":
    main()
