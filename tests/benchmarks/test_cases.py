"""What is measured: every transform, beside what one would write by hand."""

import sys
from pathlib import Path

from birchtar.runner.steps import TRANSFORMS

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.cases import CASES


def test_every_transform_has_a_case():
    assert {name.partition(",")[0] for name in CASES} == set(TRANSFORMS)


def test_every_action_of_resolve_choice_has_a_case():
    actions = {name.partition(", ")[2] for name in CASES if name.startswith("resolve_choice")}
    assert actions == {"cast", "make_cols", "make_struct", "match_catalog", "project"}
