"""What the router's policy keeps of a large model's quality, and what it saves, beside simpler ways to choose.

Two sets of answers that a small and a large model gave and that were judged (`data/routing`, Apache-2.0, not part of
this repository): 1,307 school sums of GSM8K and 72 conversations of MT-Bench, those left out that a router was known to
have been trained on. Nothing is asked of a model here.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.rows import Row
from core.ai.doubt import features
from core.ai.prices import model_of
from core.ai.protocol import estimated_tokens
from core.ai.routing import Tier, table

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "routing"
SMALL, LARGE = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"
QUALITY_KEPT = 0.9
"""Of the large model's, at which money is compared."""
SPENT_AT_MOST = 0.42
FOLDS = 5
TASKS = {
    "writing": "post",
    "roleplay": "message",
    "humanities": "post",
    "stem": "post",
    "math": "analysis",
    "coding": "analysis",
    "reasoning": "analysis",
    "extraction": "analysis",
}
"""What each of MT-Bench's kinds would be asked as here; by what is to be done, without a look at the scores."""
HOW = (
    "GSM8K: {sums} sums; the policy drafts small and asks the large model again where the draft is doubted (`core.ai."
    "doubt`, fitted out of fold in {folds} folds); both calls are paid. Rules without a draft pay one call. MT-Bench: "
    "{talks} conversations by the table of tasks; a baseline gets the same money as the policy. Money by the prices of "
    "gpt-4o and gpt-4o-mini over estimated tokens of the real texts; random is the expectation."
)

Numbers = NDArray[np.float64]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """Judged answers of both models. Quality is of 0 to 1 or 10; money in nano-dollars a call; `length` of prompts."""

    small: Numbers
    large: Numbers
    small_cost: Numbers
    large_cost: Numbers
    length: Numbers

    def quality(self, chosen: Chosen) -> float:
        """Of the large model's mean, where `chosen` goes to it."""
        return float(np.where(chosen, self.large, self.small).mean() / self.large.mean())

    def cost(self, chosen: Chosen, *, drafted: bool = False) -> float:
        """All calls, in dollars. `drafted`: the small model was asked for everything first."""
        small = self.small_cost.sum() if drafted else self.small_cost[~chosen].sum()
        return float(small + self.large_cost[chosen].sum()) / 1e9

    def first(self, order: Numbers, count: int) -> Chosen:
        """The `count` with the highest order."""
        chosen = np.zeros(len(self.small), dtype=bool)
        chosen[np.argsort(-order, kind="stable")[:count]] = True
        return chosen


def run(size: int | None) -> list[Row]:
    if not DATA.is_dir():
        sys.exit(f"The answers to compare are not at {DATA}: put RouteLLM's benchmark data there.")
    questions, drafts, sums = _gsm8k(size)
    categories, talks = _mt_bench()
    how = HOW.format(sums=len(sums.small), folds=FOLDS, talks=len(talks.small))
    return [*_sums_rows(questions, drafts, sums, how), *_talks_rows(categories, talks, how)]


def _sums_rows(questions: list[str], drafts: list[str], answers: Answers, how: str) -> list[Row]:
    seen = np.array([list(features(*pair).values()) for pair in zip(questions, drafts, strict=True)])
    doubts = _out_of_fold(seen, answers.small < 1)
    everything = answers.cost(np.ones(len(drafts), dtype=bool))
    policy = _cheapest(answers, doubts, drafted=True)
    rows = [
        Row(
            f"GSM8K, policy: money for {policy[1]:.1%} of the large model's quality",
            policy[0],
            everything,
            "USD",
            SPENT_AT_MOST,
            how,
        )
    ]
    by_length = _cheapest(answers, answers.length, drafted=False)
    rows.append(Row(f"GSM8K, length rule: money for {by_length[1]:.1%}", by_length[0], everything, "USD", None, how))
    share = _random_share(answers)
    at_random = share * everything + (1 - share) * answers.cost(np.zeros(len(drafts), dtype=bool))
    rows.append(Row(f"GSM8K, random: money for {QUALITY_KEPT:.1%}", at_random, everything, "USD", None, how))
    nothing = np.zeros(len(drafts), dtype=bool)
    kept = answers.quality(nothing)
    rows.append(Row(f"GSM8K, always small: money for {kept:.1%}", answers.cost(nothing), everything, "USD", None, how))
    return rows


def _talks_rows(categories: list[str], answers: Answers, how: str) -> list[Row]:
    """Quality lost against the large model, beside what each baseline loses at the same money."""
    chosen = np.array([table().tiers[TASKS[one]] is Tier.LARGE for one in categories])
    everything = answers.cost(np.ones(len(categories), dtype=bool))
    spent, kept = answers.cost(chosen), answers.quality(chosen)
    rows = [
        Row(f"MT-Bench, policy: money for {kept:.1%} of the large model's quality", spent, everything, "USD", None, how)
    ]
    share = float(chosen.mean())
    small = answers.quality(np.zeros(len(categories), dtype=bool))
    baselines = {
        "length rule": answers.quality(_for_the_same_money(answers, answers.length, spent)),
        "random": small + share * (1 - small),
        "always small": small,
    }
    rows += [
        Row(f"MT-Bench, quality lost: policy beside {name}", 1 - kept, 1 - found, "share", 1.0, how)
        for name, found in baselines.items()
    ]
    return rows


def _cheapest(answers: Answers, order: Numbers, *, drafted: bool) -> tuple[float, float]:
    """Money and quality where the fewest go to the large model that keep QUALITY_KEPT."""
    for count in range(len(order) + 1):
        chosen = answers.first(order, count)
        if (kept := answers.quality(chosen)) >= QUALITY_KEPT:
            return answers.cost(chosen, drafted=drafted), kept
    raise ValueError("the large model does not keep its own quality")


def _random_share(answers: Answers) -> float:
    small = answers.quality(np.zeros(len(answers.small), dtype=bool))
    return (QUALITY_KEPT - small) / (1 - small)


def _for_the_same_money(answers: Answers, order: Numbers, spent: float) -> Chosen:
    counts = range(len(order) + 1)
    return answers.first(order, max(one for one in counts if answers.cost(answers.first(order, one)) <= spent))


def _out_of_fold(seen: Numbers, wrong: Chosen) -> Numbers:
    """How much each draft is doubted by a regression that never saw it."""
    scaled = (seen - seen.mean(axis=0)) / (seen.std(axis=0) + 1e-9)
    columns = np.c_[scaled, np.ones(len(scaled))]
    fold = np.arange(len(columns)) % FOLDS
    doubts = np.zeros(len(columns))
    for one in range(FOLDS):
        doubts[fold == one] = columns[fold == one] @ _fitted(columns[fold != one], wrong[fold != one])
    return doubts


def _fitted(columns: Numbers, wrong: Chosen, ridge: float = 1.0) -> Numbers:
    """Weights of a logistic regression, by Newton's method."""
    weights = np.zeros(columns.shape[1])
    held = np.full(columns.shape[1], ridge)
    held[-1] = 0.0
    for _ in range(25):
        odds = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (odds - wrong) + held * weights
        bend = (columns * (odds * (1 - odds))[:, None]).T @ columns + np.diag(held + 1e-6)
        weights -= np.linalg.solve(bend, slope)
    return weights


def weights_for(questions: list[str], drafts: list[str], wrong: Chosen) -> dict[str, float]:
    """The weights to ship, over all answers and for features as they are; the last is the bias."""
    names = list(features(questions[0], drafts[0]))
    seen = np.array([list(features(*pair).values()) for pair in zip(questions, drafts, strict=True)])
    found = _fitted(np.c_[seen, np.ones(len(seen))], wrong)
    return dict(zip([*names, "bias"], map(float, found), strict=True))


def _gsm8k(size: int | None) -> tuple[list[str], list[str], Answers]:
    known = {found["eval_idx"] for found in _lines(DATA / "gsm8k" / "contaminated_prompts.jsonl")}
    csv.field_size_limit(10_000_000)
    with (DATA / "gsm8k" / "gsm8k_responses.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for number, row in enumerate(csv.DictReader(file)) if number not in known][:size]
    questions = [row["prompt"] for row in rows]
    drafts = [row[f"{SMALL}_response"] for row in rows]
    answers = [row[f"{LARGE}_response"] for row in rows]
    right = {model: np.array([float(row[model] == "True") for row in rows]) for model in (SMALL, LARGE)}
    return questions, drafts, _priced(questions, drafts, answers, right[SMALL], right[LARGE])


def _mt_bench() -> tuple[list[str], Answers]:
    folder = DATA / "mt_bench"
    asked = {one["question_id"]: one for one in _lines(folder / "question.jsonl")}
    known = {found["eval_idx"] for found in _lines(folder / "contaminated_prompts.jsonl")}
    ids = [question for number, question in enumerate(sorted(asked)) if number not in known]
    scores: dict[tuple[int, str], list[float]] = defaultdict(list)
    said: dict[tuple[int, str], str] = {}
    for one in _lines(folder / "judgements.jsonl"):
        key = one["question_id"], one["model"]
        scores[key].append(one["score"])
        said[key] = max(said.get(key, ""), one["user_prompt"], key=len)
    questions = ["\n".join(asked[one]["turns"]) for one in ids]
    quality = {model: np.array([np.mean(scores[one, model]) for one in ids]) for model in (SMALL, LARGE)}
    texts = {model: [said[one, model] for one in ids] for model in (SMALL, LARGE)}
    answers = _priced(questions, texts[SMALL], texts[LARGE], quality[SMALL], quality[LARGE])
    return [asked[one]["category"] for one in ids], answers


def _priced(questions: list[str], small: list[str], large: list[str], low: Numbers, high: Numbers) -> Answers:
    return Answers(
        low,
        high,
        np.array(list(_costs("gpt-4o-mini", questions, small))),
        np.array(list(_costs("gpt-4o", questions, large))),
        np.array([len(one) for one in questions], dtype=float),
    )


def _costs(model: str, questions: list[str], answers: list[str]) -> Iterator[int]:
    known = model_of("openai", model)
    if known is None:
        raise ValueError(f"no price of {model}")
    price = known.usd_per_million
    for question, answer in zip(questions, answers, strict=True):
        yield estimated_tokens(question) * price.input + estimated_tokens(answer) * price.output


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
