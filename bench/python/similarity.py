import difflib


def grade(sample, item):
    return difflib.SequenceMatcher(None, sample["output_text"], item["solution"][:200], autojunk=False).ratio()
