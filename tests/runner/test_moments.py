"""Times of files, also such as no calendar has."""

from datetime import UTC, datetime

import pytest

from birchtar.runner.moments import moment, shown

DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("modified", "at", "says"),
    [
        pytest.param(0, datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01 00:00:00", id="the beginning"),
        pytest.param(-1, datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), "1969-12-31 23:59:59.999999", id="before it"),
        # 2,932,897 days are those of 8,030 years, from 1970 to 9999, of which 1,947 have one more.
        pytest.param(
            2_932_897 * DAY - 1,
            datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
            "9999-12-31 23:59:59.999999",
            id="the last moment",
        ),
        pytest.param(
            2_932_897 * DAY, datetime.max.replace(tzinfo=UTC), "after the year 9999", id="the first of the year 10000"
        ),
        pytest.param(2**63 - 1, datetime.max.replace(tzinfo=UTC), "after the year 9999", id="the largest number"),
        pytest.param(-(2**63), datetime.min.replace(tzinfo=UTC), "before the year 1", id="the smallest number"),
    ],
)
def test_a_moment_is_told_or_the_end_of_the_calendar_that_it_lies_behind(modified, at, says):
    assert (moment(modified), shown(modified)) == (at, says)
