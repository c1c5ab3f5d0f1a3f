"""Fonts: collects the typefaces that lines are drawn with, and tells what each can draw.

`python -m shizi.training.fonts --into fonts` fetches Debian and npm font packages with their ordinary
clients, subsets every face to the charset and writes `fonts.json` (name, licence, style, characters). Nothing
is installed, nothing is fetched at any other time, and the folder is never committed. Three faces are held
out for validation.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTCollection, TTFont  # type: ignore[import-untyped]

from shizi.training import labels

OFL, GPL_FONT, ARPHIC, APACHE = "OFL-1.1", "GPL with font exception", "Arphic Public License", "Apache-2.0"
LIBERATION, DEJAVU, GUST, AGPL_FONT = OFL, "Bitstream Vera", "GUST Font License", "AGPL with font exception"


@dataclass(frozen=True, slots=True)
class Source:
    """One face: the package it comes from, its file there (and index in a collection), licence and style."""

    package: str
    file: str
    licence: str
    style: str
    index: int = 0
    held_out: bool = False

    @property
    def name(self) -> str:
        """Give the face's name: the file's stem."""
        return Path(self.file).stem


@dataclass(frozen=True, slots=True)
class Face:
    """One collected face, ready to draw: its file, style and the characters it has."""

    name: str
    path: str
    licence: str
    style: str
    held_out: bool
    characters: str


def _chinese() -> Iterator[Source]:
    noto_sans = [("Regular", "fonts-noto-cjk"), ("Bold", "fonts-noto-cjk"), ("Light", "fonts-noto-cjk-extra")]
    for weight, package in noto_sans:
        yield Source(package, f"NotoSansCJK-{weight}.ttc", OFL, "sans", index=2)
    for weight in ("Regular", "Bold"):
        yield Source("fonts-noto-cjk", f"NotoSerifCJK-{weight}.ttc", OFL, "song", index=2)
    for face in ("Song-Regular", "Song-Bold", "Hei-Regular", "Hei-Bold", "Kai-Regular", "Fang-Regular"):
        yield Source("texlive-lang-chinese", f"Fandol{face}.otf", GPL_FONT, face.split("-")[0].lower())
    yield Source("fonts-wqy-microhei", "wqy-microhei.ttc", APACHE, "sans")
    yield Source("fonts-wqy-zenhei", "wqy-zenhei.ttc", GPL_FONT, "sans", held_out=True)
    yield Source("fonts-arphic-uming", "uming.ttc", ARPHIC, "song", held_out=True)
    yield Source("fonts-arphic-ukai", "ukai.ttc", ARPHIC, "kai")
    yield Source("fonts-arphic-gbsn00lp", "gbsn00lp.ttf", ARPHIC, "song")
    yield Source("fonts-arphic-gkai00mp", "gkai00mp.ttf", ARPHIC, "kai")
    yield Source("fonts-lxgw-wenkai", "LXGWWenKai-Regular.ttf", OFL, "kai", held_out=True)
    yield Source("fonts-smiley-sans", "SmileySans-Oblique.ttf", OFL, "display")
    for family in ("zcool-xiaowei", "zcool-qingke-huangyou"):
        yield Source(f"@fontsource/{family}", f"{family}-chinese-simplified-400-normal.woff", OFL, "display")
    for family in ("ma-shan-zheng", "zhi-mang-xing", "long-cang", "liu-jian-mao-cao"):
        yield Source(f"@fontsource/{family}", f"{family}-chinese-simplified-400-normal.woff", OFL, "hand")


def _latin() -> Iterator[Source]:
    table = {
        ("fonts-liberation2", LIBERATION): (
            "LiberationSans-Regular.ttf LiberationSans-Bold.ttf LiberationSerif-Regular.ttf "
            "LiberationSerif-Bold.ttf LiberationSerif-Italic.ttf LiberationMono-Regular.ttf "
            "LiberationSans-Italic.ttf"
        ),
        ("fonts-dejavu-core", DEJAVU): "DejaVuSans.ttf DejaVuSansMono.ttf DejaVuSerif.ttf",
        ("fonts-crosextra-carlito", OFL): "Carlito-Regular.ttf Carlito-Bold.ttf",
        ("fonts-crosextra-caladea", APACHE): "Caladea-Regular.ttf",
        ("fonts-roboto-unhinted", APACHE): "Roboto-Regular.ttf Roboto-Medium.ttf RobotoCondensed-Regular.ttf",
        ("fonts-open-sans", APACHE): "OpenSans-Regular.ttf OpenSans-Semibold.ttf",
        ("fonts-lato", OFL): "Lato-Regular.ttf Lato-Light.ttf",
        ("fonts-inconsolata", OFL): "Inconsolata.otf",
        ("fonts-hack", "Expat and Bitstream Vera"): "Hack-Regular.ttf",
        ("fonts-firacode", OFL): "FiraCode-Regular.ttf",
        (
            "fonts-lmodern",
            GUST,
        ): "lmroman10-regular.otf lmroman10-bold.otf lmmono10-regular.otf lmsans10-regular.otf",
        (
            "fonts-texgyre",
            GUST,
        ): "texgyrepagella-regular.otf texgyreheroscn-regular.otf texgyretermes-regular.otf",
        ("fonts-urw-base35", AGPL_FONT): "NimbusMonoPS-Regular.otf NimbusSans-Regular.otf",
        ("fonts-linuxlibertine", OFL): "LinLibertine_R.otf LinBiolinum_R.otf",
        ("fonts-ocr-a", "public domain"): "OCRA.ttf",
        ("fonts-ocr-b", "permissive (N. Schwarz)"): "OCRB.otf",
        ("fonts-comic-neue", OFL): "ComicNeue-Regular.otf",
    }
    for (package, licence), files in table.items():
        yield from (Source(package, file, licence, "latin") for file in files.split())


SOURCES = (*_chinese(), *_latin())
# These draw every character of the charset; the other Chinese faces only the frequent ones (GB 2312, level 1), which
# halves the set: what a face lacks is drawn in the first of these.
WHOLE = frozenset({"NotoSansCJK-Regular", "NotoSansCJK-Bold", "NotoSerifCJK-Regular", "NotoSerifCJK-Bold"})


def unpack(packages: set[str], into: Path) -> None:
    """Fetch `packages` (Debian; npm where scoped by @) and unpack each below `into`, installing nothing."""
    for package in sorted(packages):
        folder = into / package.replace("/", "_").lstrip("@")
        if folder.exists():
            continue
        with tempfile.TemporaryDirectory() as download:
            if package.startswith("@"):
                subprocess.run(["npm", "pack", "--silent", package], cwd=download, check=True)
                folder.mkdir(parents=True)
                for archive in Path(download).glob("*.tgz"):
                    subprocess.run(["tar", "xzf", archive, "-C", folder], check=True)
            else:
                subprocess.run(["apt-get", "-q", "download", package], cwd=download, check=True)
                for archive in Path(download).glob("*.deb"):
                    subprocess.run(["dpkg", "-x", archive, folder], check=True)


def cut(source: Source, original: Path, into: Path) -> Face:
    """Subset one face to the charset, write it below `into` and tell what it covers."""
    font = TTCollection(original).fonts[source.index] if original.suffix == ".ttc" else TTFont(original, lazy=True)
    wanted = {ord(character) for character in labels.charset().characters if _draws(source, character)}
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True, name_IDs=[1, 2])
    options.drop_tables += [
        "GSUB",
        "GPOS",
        "GDEF",
        "BASE",
        "vmtx",
        "vhea",
        "VORG",
        "EBDT",
        "EBLC",
        "bdat",
        "bloc",
    ]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(font)
    font.flavor = None
    path = into / f"{source.name}{'.otf' if 'CFF ' in font else '.ttf'}"
    font.save(path)
    covered = "".join(chr(code) for code in sorted(_inked(font)))
    font.close()
    return Face(source.name, path.name, source.licence, source.style, source.held_out, covered)


def _draws(source: Source, character: str) -> bool:
    """Tell whether a face is to have `character`: all have what is not Chinese and what is frequent."""
    if source.name in WHOLE or source.held_out or not "\u4e00" <= character <= "\u9fff":
        return True
    first = character.encode("gb2312", errors="ignore")[:1]
    return b"\xb0" <= first <= b"\xd7"


def _inked(font: TTFont) -> Iterator[int]:
    """Give the code points whose glyph has an outline: some faces map characters to empty boxes."""
    glyphs = font.getGlyphSet()
    for code, name in (font.getBestCmap() or {}).items():
        if "glyf" in font and font["glyf"][name].numberOfContours == 0:
            continue
        if name != ".notdef" and name in glyphs:
            yield code


def collect(into: Path, packages: Path) -> list[Face]:
    """Fetch, subset and list every face of `SOURCES`; `packages` keeps the unpacked packages between runs."""
    into.mkdir(parents=True, exist_ok=True)
    unpack({source.package for source in SOURCES}, packages)
    faces = []
    for source in SOURCES:
        folder = packages / source.package.replace("/", "_").lstrip("@")
        original = next(iter(sorted(folder.rglob(source.file))), None)
        if original is None:
            raise FileNotFoundError(f"{source.file} is not in package {source.package}")
        faces.append(cut(source, original, into))
    write(into, faces)
    return faces


def installed(into: Path, roots: Sequence[Path]) -> list[Face]:
    """List those faces of `SOURCES` that lie below `roots`, subset into `into`; fetches nothing.

    Raises FileNotFoundError without a Chinese and a Latin one.
    """
    into.mkdir(parents=True, exist_ok=True)
    files = {path.name: path for root in roots for path in root.rglob("*") if path.suffix in (".ttf", ".otf", ".ttc")}
    faces = [cut(source, files[source.file], into) for source in SOURCES if source.file in files]
    if {face.style == "latin" for face in faces} != {True, False}:
        raise FileNotFoundError(
            "There are no typefaces to draw lines with; collect them with `python -m shizi.training.fonts`, or install "
            "Debian's packages fonts-noto-cjk and fonts-dejavu-core"
        )
    write(into, faces)
    return load(into)


def write(into: Path, faces: Sequence[Face]) -> None:
    """List faces for `load`."""
    rows = [asdict(face) for face in faces]
    (into / "fonts.json").write_text(json.dumps(rows, ensure_ascii=False, indent=0), encoding="utf-8")


def load(folder: Path) -> list[Face]:
    """Read the faces that `collect` wrote, with absolute paths. Raises FileNotFoundError before that."""
    listing = folder / "fonts.json"
    if not listing.exists():
        raise FileNotFoundError(f"{listing} is missing: collect the fonts with `make fonts` first")
    rows = json.loads(listing.read_text(encoding="utf-8"))
    return [Face(**{**row, "path": str((folder / row["path"]).resolve())}) for row in rows]


def main() -> None:
    """Collect the fonts and print the table of licences and coverage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("fonts"))
    parser.add_argument("--packages", type=Path, default=Path("fonts/packages"), help="unpacked packages, kept")
    arguments = parser.parse_args()
    total = 0
    for face in collect(arguments.into, arguments.packages):
        size = (arguments.into / face.path).stat().st_size
        total += size
        held = "held out" if face.held_out else ""
        coverage = f"{len(face.characters):5} characters {size / 1e6:5.1f} MB"
        print(f"{face.name:42} {face.style:8} {coverage}  {face.licence} {held}")
    print(f"{total / 1e6:.1f} MB in all")


if __name__ == "__main__":
    main()
