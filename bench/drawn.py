"""Draw labelled pages for speed: screens and A4 scans, dense and sparse, in one format with the real sets.

    python bench/drawn.py FOLDER [--pages 3] [--kinds screen-800,a4-200]

Writes pictures and labels.jsonl; a page's category is its kind and its density (`a4-200 dense`). Page n of a kind is
the same on every machine that has the same font (Debian's fonts-noto-cjk).
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts/opentype/noto")
FACES = ("NotoSansCJK-Regular.ttc", "NotoSerifCJK-Regular.ttc", "NotoSansCJK-Bold.ttc")


@dataclass(frozen=True, slots=True)
class Kind:
    """One size of page: width, height and text size in pixels, and whether it looks scanned."""

    width: int
    height: int
    size: int
    scanned: bool


# A4 is 210 x 297 mm; its text is 10.5 point, the size Chinese offices print with.
KINDS = {
    "screen-800": Kind(800, 600, 16, False),
    "screen-1200": Kind(1200, 900, 18, False),
    "screen-1600": Kind(1600, 1200, 20, False),
    "a4-200": Kind(1654, 2339, 29, True),
    "a4-300": Kind(2480, 3508, 44, True),
}
DENSITIES = ("dense", "sparse")

SENTENCES = (
    "本公司自成立以来始终坚持质量第一、客户至上的经营方针，产品销往全国二十多个省市。",
    "双方经友好协商，就设备采购事宜达成如下协议，以资共同遵守。",
    "项目实施周期为合同签订之日起九十个工作日，逾期按每日万分之五支付违约金。",
    "请各部门于每月25日前将报销单据交至财务部，超过期限的顺延至下月处理。",
    "会议讨论了第三季度的生产计划，并对库存管理提出了新的要求。",
    "根据最新统计，2025年度营业收入为3,846.72万元，同比增长12.6%。",
    "系统支持多种文件格式，包括图片、扫描件以及电子表格，单个文件不超过50MB。",
    "联系电话：0571-8823 6610，地址：杭州市西湖区文三路478号华星时代广场A座12层。",
    "研究表明，合理安排作息时间能够显著提高学习和工作的效率。",
    "春天来了，山坡上的桃花开得正艳，远远望去像一片粉红色的云霞。",
    "甲方应在验收合格后15个工作日内支付剩余款项，共计人民币伍拾贰万元整。",
    "数据库的备份每天凌晨两点自动执行，保留最近三十天的记录。",
    "The quarterly report shows a steady increase in revenue across all regions.",
    "Please keep this receipt; refunds are accepted within 14 days of purchase.",
    "All measurements were taken at 23 degrees and repeated five times.",
    "Order No. A-20391 was shipped on 2025-08-14 by express delivery.",
    "For further information visit www.example.com or write to info@example.com.",
    "图3给出了不同温度下材料的应力曲线，误差控制在0.5%以内。",
    "注意事项：设备运行时请勿打开防护罩，以免发生危险。",
    "申请人须年满18周岁，持有效身份证件到窗口办理，当日即可领取。",
)


def lines_of(random: Random, font: ImageFont.FreeTypeFont, width: int, count: int, whole: bool) -> list[str]:
    """Set running text into `count` lines of at most `width` pixels; without `whole` each is a short one."""
    lines: list[str] = []
    while len(lines) < count:
        text = " ".join(random.choice(SENTENCES) for _ in range(3)) if whole else random.choice(SENTENCES)
        if not whole:
            lines.append(_fitting(text, font, width * random.uniform(0.25, 0.6))[0])
            continue
        while text and len(lines) < count:
            line, text = _fitting(text, font, width)
            lines.append(line)
    return lines


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: float) -> tuple[str, str]:
    """Cut off what fits: a line and the rest, English at spaces."""
    end = len(text)
    while font.getlength(text[:end]) > width:
        end -= 1
    if end < len(text) and text[end].isascii() and text[end - 1].isascii() and " " in text[end // 2 : end]:
        end = text.rindex(" ", 0, end)
    return text[:end].strip(), text[end:].strip()


def page(kind: Kind, dense: bool, number: int) -> tuple[np.ndarray, list[str]]:
    """Draw page `number` of a kind; gives its pixels (H W grey) and its lines."""
    random = Random(f"{kind.width} {dense} {number}")
    font = ImageFont.truetype(str(FONTS / FACES[number % len(FACES)]), kind.size, index=2)
    margin = kind.width // 10 if kind.scanned else kind.size
    pitch = round(kind.size * (1.6 if dense else 2.6))
    room = (kind.height - 2 * margin) // pitch
    lines = lines_of(random, font, kind.width - 2 * margin, room if dense else max(3, room // 3), dense)
    picture = Image.new("L", (kind.width, kind.height), 255)
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw.text((margin, margin + row * pitch), line, 20, font)
    pixels = np.asarray(picture)
    return (_scanned(pixels, number) if kind.scanned else pixels), lines


def _scanned(pixels: np.ndarray, seed: int) -> np.ndarray:
    """Make a clean page look scanned: half a degree off, soft, grey paper, noise."""
    height, width = pixels.shape
    noise = np.random.default_rng(seed)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(noise.uniform(-0.5, 0.5)), 1)
    turned = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=255)
    soft = cv2.GaussianBlur(turned, (0, 0), 0.7).astype(np.float32) * 0.93 + 8
    return np.clip(soft + noise.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)


def draw_set(folder: Path, pages: int = 3, kinds: tuple[str, ...] = tuple(KINDS)) -> None:
    """Draw `pages` pages of each kind and density into `folder`, with labels.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as labels:
        for name in kinds:
            for density in DENSITIES:
                for number in range(pages):
                    pixels, lines = page(KINDS[name], density == "dense", number)
                    file = f"{name}-{density}-{number}.{'jpg' if KINDS[name].scanned else 'png'}"
                    cv2.imwrite(
                        str(folder / file), pixels, [cv2.IMWRITE_JPEG_QUALITY, 85] if KINDS[name].scanned else []
                    )
                    row = {"image": file, "category": f"{name} {density}", "lines": lines, "ignore": []}
                    print(json.dumps(row, ensure_ascii=False), file=labels)


def main() -> None:
    """Draw the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--kinds", default=",".join(KINDS))
    arguments = parser.parse_args()
    draw_set(arguments.folder, arguments.pages, tuple(arguments.kinds.split(",")))


if __name__ == "__main__":
    main()
