"""The Python half of metrics.bench.mjs: times the reference implementations on the pairs it is sent.

Each request line is {"pairs": [...]} (kept for what follows) or {"cell": NAME, "passes": N}; the answer to the latter is
the CPU seconds that N passes over the pairs took.
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

CELLS = {
    "fuzzy_match": fuzz.ratio,
    "bleu, split": lambda c, r: bleu(c.split(), r.split(), "method4"),
    "bleu, word_tokenize": lambda c, r: bleu(word_tokenize(c), word_tokenize(r), "method4"),
    "gleu, split": lambda c, r: sentence_gleu([r.split()], c.split()),
    "gleu, word_tokenize": lambda c, r: sentence_gleu([word_tokenize(r)], word_tokenize(c)),
    "meteor, split": lambda c, r: meteor(c.split(), r.split()),
    "rouge_1": lambda c, r: _rouge1.score(r, c)["rouge1"].fmeasure,
    "rouge_l": lambda c, r: _rougeL.score(r, c)["rougeL"].fmeasure,
}


def main():
    wordnet()
    pairs = []
    for line in sys.stdin:
        request = json.loads(line)
        if "pairs" in request:
            pairs = [(pair["candidate"], pair["reference"]) for pair in request["pairs"]]
            print("{}", flush=True)
            continue
        score = CELLS[request["cell"]]
        started = time.process_time()
        for _ in range(request["passes"]):
            for candidate, reference in pairs:
                score(candidate, reference)
        print(json.dumps({"seconds": time.process_time() - started}), flush=True)


if __name__ == "__main__":
    main()
