"""Which small faults are planted, and that each is one change that still is Python."""

import ast

from tests.mutating import faults, planted

SOURCE = '''
"""A rule."""
LIMITS = {"free": 3}


def allowed(count: int, plan: str = "free") -> bool:
    """Whether there is room."""
    if plan and not count < 0 and plan in LIMITS:
        return min(count, 5) <= LIMITS[plan] - 1
    raise ValueError(plan)
'''


def test_each_kind_of_fault_is_found_where_it_is():
    found = [(each.line, each.function, each.what) for each in faults(ast.parse(SOURCE))]
    assert found == [
        (3, "", "'free' changed"),
        (3, "", "3 for 4"),
        (6, "allowed", "'free' changed"),
        (8, "allowed", "And for Or"),
        (8, "allowed", "Not left out"),
        (8, "allowed", "Lt for LtE"),
        (8, "allowed", "0 for 1"),
        (8, "allowed", "In for NotIn"),
        (9, "allowed", "nothing returned"),
        (9, "allowed", "LtE for Lt"),
        (9, "allowed", "two arguments swapped"),
        (9, "allowed", "min for max"),
        (9, "allowed", "5 for 6"),
        (9, "allowed", "Sub for Add"),
        (9, "allowed", "1 for 2"),
        (10, "allowed", "Raise left out"),
    ]


def test_each_is_one_change_that_compiles():
    plain = ast.unparse(ast.parse(SOURCE))
    written = [ast.unparse(planted(SOURCE, number)) for number in range(len(faults(ast.parse(SOURCE))))]
    for each in written:
        compile(each, "planted", "exec")
        differing = sum(a != b for a, b in zip(plain.splitlines(), each.splitlines(), strict=True))
        assert differing == 1
    assert len(set(written)) == len(written)
