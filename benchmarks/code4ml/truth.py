"""What a reader of a made corpus has to find out, collected while it is written."""

from collections import Counter

from benchmarks.code4ml.forks import jaccard
from benchmarks.code4ml.kernels import Kernel
from benchmarks.code4ml.plan import FLAWS, Corpus, Planned

_TOP = 75


class Truth:
    """The truth of one corpus; complete once `see` was given every kernel."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._forks: dict[int, dict[str, int | float | bool]] = {}
        self._code: Counter[str] = Counter()

    def see(self, place: int, kernel: Kernel) -> Kernel:
        """Note a kernel as written; gives it back."""
        planned = self._corpus.plan[place]
        lengths = [len(cell) for cell in kernel.cells]
        self._code["magics, shell and help lines"] += kernel.magics
        self._code["empty cells"] += sum(not cell.strip() for cell in kernel.cells)
        self._code["characters of code"] += sum(lengths)
        self._code["characters of the longest cell"] = max(
            self._code["characters of the longest cell"], max(lengths, default=0)
        )
        if planned.parent >= 0:
            parent, original = self._corpus.plan[planned.parent], self._corpus.kernel(planned.parent)
            self._forks[planned.id] = {
                "parent": parent.id,
                "family": self._corpus.plan[self._corpus.family(place)].id,
                "exact": kernel.cells == original.cells,
                "other_competition": parent.competition != planned.competition,
                "jaccard": round(jaccard(kernel.lines(), original.lines()), 4),
            }
        return kernel

    def counts(self) -> dict[str, int]:
        """How many of what; "expected" is what the best curation could keep."""
        plan, hosts, forks = self._corpus.plan, self._corpus.hosts, self._forks.values()
        return {
            "kernels": len(plan),
            "of them scored": sum(is_number(planned.score) for planned in plan),
            "of them with junk for a score": sum(
                bool(planned.score) and not is_number(planned.score) for planned in plan
            ),
            "forks": len(forks),
            "of them exact": sum(bool(each["exact"]) for each in forks),
            "of them of another competition": sum(bool(each["other_competition"]) for each in forks),
            **{f"kernels: {name}": len(ids) for name, ids in self._lists().items()},
            "competitions": len(hosts),
            "of them with a dropped metric": sum(host.metric.dropped for host in hosts),
            "of them with an unknown metric": sum(not host.metric.name for host in hosts),
            **self._code,
            **self._expected(),
        }

    def content(self) -> dict[str, object]:
        """What truth.json holds: the counts, each fork, the ids of each sort, each competition's metric."""
        return {
            "seed": self._corpus.seed,
            "counts": self.counts(),
            "forks": {str(name): self._forks[name] for name in sorted(self._forks)},
            "kernels": self._lists(),
            "competitions": {
                host.world.slug: {
                    "spelled": host.spelled,
                    "metric": host.metric.name,
                    "category": host.metric.category,
                    "direction": host.metric.direction,
                    "dropped": host.metric.dropped,
                    "kind": host.world.kind,
                }
                for host in self._corpus.hosts
            },
        }

    def _lists(self) -> dict[str, list[int]]:
        plan = self._corpus.plan
        lists = {flaw: [planned for planned in plan if planned.flaw == flaw] for flaw in FLAWS if flaw}
        lists["without a model"] = [planned for planned in plan if planned.explores]
        lists["scattered"] = [planned for planned in plan if planned.scattered]
        lists["without metadata"] = [planned for planned in plan if not planned.listed]
        lists["of an unknown competition"] = [planned for planned in plan if not planned.known_competition]
        return {name: sorted(planned.id for planned in chosen) for name, chosen in lists.items()}

    def _expected(self) -> dict[str, int]:
        """Sound kernels with a score, of competitions whose metric is kept; their families, 75 of each."""
        families: dict[int, set[int]] = {}
        kernels = 0
        for place, planned in enumerate(self._corpus.plan):
            if self._useful(planned):
                families.setdefault(planned.competition, set()).add(self._corpus.family(place))
                kernels += 1
        return {
            "expected: kernels that parse, scored, of a kept metric": kernels,
            "expected: families of these": sum(len(found) for found in families.values()),
            f"expected: families, {_TOP} a competition": sum(
                min(len(found), _TOP) for found in families.values()
            ),
        }

    def _useful(self, planned: Planned) -> bool:
        metric = self._corpus.hosts[planned.competition].metric
        kept = bool(metric.name) and not metric.dropped
        joins = planned.listed and planned.known_competition
        return kept and joins and planned.flaw == "" and is_number(planned.score)


def is_number(text: str) -> bool:
    """Whether a score is one."""
    try:
        float(text)
    except ValueError:
        return False
    return True
