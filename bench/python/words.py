import re

WORD = re.compile(r"\w+")


def words(text):
    return set(WORD.findall(text.lower()))


def grade(sample, item):
    candidate = words(sample["output_text"])
    known = words(item["question"]) | words(item["solution"])
    return len(candidate & known) / max(1, len(candidate))
