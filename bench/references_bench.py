"""The Python half of metrics.bench.mjs: times the reference implementations on the pairs it is sent.

Each request is a line, and so is its answer:
{"cells": true}                               the names of what can be timed, by library
{"pairs": [...]}                              kept for what follows
{"library": NAME, "cell": NAME, "passes": N}  the CPU seconds that N passes over the pairs took
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "fixtures", "golden"))

from nltk.tokenize import word_tokenize
from nltk.translate.gleu_score import sentence_gleu
from rapidfuzz import fuzz
from references import bleu, meteor, wordnet
from rouge_score.rouge_scorer import RougeScorer

_rouge1 = RougeScorer(["rouge1"])
_rougeL = RougeScorer(["rougeL"])

REFERENCES = {
    "fuzzy_match": fuzz.ratio,
    "fuzzy_match, WRatio": fuzz.WRatio,
    "fuzzy_match, token_set_ratio": fuzz.token_set_ratio,
    "fuzzy_match, partial_ratio": fuzz.partial_ratio,
    "bleu, split": lambda c, r: bleu(c.split(), r.split(), "method4"),
    "bleu, word_tokenize": lambda c, r: bleu(word_tokenize(c), word_tokenize(r), "method4"),
    "gleu, split": lambda c, r: sentence_gleu([r.split()], c.split()),
    "gleu, word_tokenize": lambda c, r: sentence_gleu([word_tokenize(r)], word_tokenize(c)),
    "meteor, split": lambda c, r: meteor(c.split(), r.split()),
    "rouge_1": lambda c, r: _rouge1.score(r, c)["rouge1"].fmeasure,
    "rouge_l": lambda c, r: _rougeL.score(r, c)["rougeL"].fmeasure,
}


def fastnltk_cells():
    """What fastnltk has of its own; its meteor and gleu are NLTK's. Its BLEU takes one reference, unlike its annotations."""
    try:
        from fastnltk.tokenize import word_tokenize as fast_word_tokenize
        from fastnltk.translate import bleu_score
    except ImportError:
        return {}
    return {
        "bleu, split": lambda c, r: bleu_score(c.split(), r.split()),
        "bleu, word_tokenize": lambda c, r: bleu_score(fast_word_tokenize(c), fast_word_tokenize(r)),
        "gleu, word_tokenize": lambda c, r: sentence_gleu([fast_word_tokenize(r)], fast_word_tokenize(c)),
    }


LIBRARIES = {"reference": REFERENCES, "fastnltk": fastnltk_cells()}


def seconds_of(score, pairs, passes):
    started = time.process_time()
    for _ in range(passes):
        for candidate, reference in pairs:
            score(candidate, reference)
    return time.process_time() - started


def main():
    wordnet()
    pairs = []
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if "cells" in request:
            answer["cells"] = {library: list(cells) for library, cells in LIBRARIES.items()}
        elif "pairs" in request:
            pairs = [(pair["candidate"], pair["reference"]) for pair in request["pairs"]]
        else:
            score = LIBRARIES[request["library"]][request["cell"]]
            answer["seconds"] = seconds_of(score, pairs, request["passes"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
