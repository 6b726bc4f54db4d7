"""Whether a model's reply in prose is worth anything, and the reply without its stutter."""

import re
import zlib


def tidy(text: str, *, cut_short: bool = False) -> str:
    """The reply without reasoning tags, greeting, repeated sentences, and a sentence cut off at its end."""
    text = re.sub(r"<think>.*?(</think>|\Z)", "", text, flags=re.DOTALL).strip()
    seen: set[str] = set()
    lines: list[str] = []
    for line in text.splitlines():
        kept = []
        for sentence in re.split(r"(?<=[.!?])\s+", line):
            key = re.sub(r"\W+", " ", sentence).strip().lower()
            if len(key) > 12 and key in seen:
                continue
            seen.add(key)
            kept.append(sentence)
        joined = " ".join(kept).rstrip()
        if joined or (lines and lines[-1]):
            lines.append(joined)
    text = "\n".join(lines).strip()
    if cut_short and not re.search(r"[.!?)\]]\s*$", text):
        ends = [found.end() for found in re.finditer(r"[.!?](?=\s)|\n", text)]
        if ends and ends[-1] > len(text) // 2:
            text = text[: ends[-1]].strip()
    begins = re.search(r"^\W*Data preprocessing\b", text, flags=re.MULTILINE | re.IGNORECASE)
    if begins and 0 < begins.start() < 300:
        text = text[begins.start() :]
    return re.sub(r"\s*\n[-*\s]*(\d+\.)?\s*\Z", "", text).strip()


def flaw(text: str, least: int = 40) -> str:
    """Why a reply in prose is no use, "" when it is: too few letters, no words, or mostly repetition."""
    letters = sum(map(str.isalpha, text))
    if letters < least:
        return "empty" if not text.strip() else f"only {letters} letters"
    if letters < 0.4 * len(re.sub(r"\s", "", text)):
        return "mostly not letters"
    words = re.findall(r"\w+", text.lower())
    if len(words) >= 20 and len(set(words)) < 0.15 * len(words):
        return f"{len(set(words))} different words among {len(words)}"
    if max(map(len, words)) > 200 and text.isascii():
        return "no words"
    encoded = text.encode()
    if len(encoded) > 300 and len(zlib.compress(encoded)) < 0.2 * len(encoded):
        return "it repeats itself"
    return ""
