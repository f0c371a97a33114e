"""How a fact's spread is told: its course in steps."""

from __future__ import annotations

from streams.state.fact_spread import STEPS, course_of


def test_a_course_ends_where_counting_is() -> None:
    course = course_of([100.0, 100.0, 340.0], 580.0, 340.0)
    assert course is not None
    assert course.step_s == 480 / STEPS
    assert course.posts[0] == 2
    assert course.posts[12] == course.after[12] == 1
    assert sum(course.posts) == 3
    assert sum(course.after) == 1
    assert course_of([], 5.0, None) is None
    late = course_of([100.0, 200.0], 150.0, None)
    assert late is not None
    assert late.posts[-1] == 1
