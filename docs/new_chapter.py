"""Begin a chapter: every file it needs, with one small example of each thing, so that it passes.

`python docs/new_chapter.py 17 toss_a_coin "Toss a coin" coin` writes a chapter of that number, file
and title, which leaves the module coin behind. Then every sentence of it is to be replaced.
"""

import argparse
import keyword
import re
import sys
from importlib.util import find_spec
from string import Template

import contents
from contents import ROOT, SOURCE

import emtools

ENTRY = """
[[chapter]]
number = "$number"
file = "$file"
title = "$title"
question = "what is to be found out?"
reading = 10
exercises = 10
needs = []
modules = ["$module"]
written = true

[chapter.teaches]
$module = ["share_of_heads"]
"""

HEAD = """---
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

"""

TEXT = """# $title

**What you'll do.** One sentence: what will have been done at the end.

**What you'll learn.** To do this; to see that. At most four verbs.

**What you need.** Names of earlier chapters, as links, and two facts.

**Time.** 10 minutes to read; the exercises take as long again.

```{code-cell}
import numpy as np

from emtools.course.exercises import $file as check
from emtools.course.report import report
```

## One question

A sentence, an equation, a function of at most eight lines, a call on numbers that one can check by
hand, what we saw. This function stands in `emtools/$module.py` to the letter.

```{code-cell}
def share_of_heads(tosses):
    return np.mean(tosses)
```

```{code-cell}
report(share_of_heads(np.array([1, 0, 1, 1])), "share of heads")
```

## Summary

At most four sentences.

+++

## Exercises

Three to five: predict, change, break, build.

**1. Predict: two of three.** What is the share of heads in 1, 0, 1?

```{code-cell}
:name: two_of_three
:tags: [exercise]

share = None
```

```{code-cell}
check.two_of_three(share)
```

**2. Change: one more toss.** And after another head?

```{code-cell}
:name: one_more_toss
:tags: [exercise]

share_of_four = None
```

```{code-cell}
check.one_more_toss(share_of_four)
```

**3. Break: nothing but tails.** And in 0, 0?

```{code-cell}
:name: only_tails
:tags: [exercise]

share_of_none = None
```

```{code-cell}
check.only_tails(share_of_none)
```

## Further reading

- [NumPy for beginners](https://numpy.org/doc/stable/user/absolute_beginners.html): each link with
  its reason.
"""

ANSWERS = """# Answers to chapter $number

```{code-cell}
:name: two_of_three

share = share_of_heads([1, 0, 1])
```

```{code-cell}
:name: one_more_toss

share_of_four = share_of_heads([1, 0, 1, 1])
```

```{code-cell}
:name: only_tails

share_of_none = share_of_heads([0, 0])
```
"""

CHECKS = '''"""Checks for the exercises of chapter $number, $called."""

from emtools.course.exercises import Verdict, judge


def two_of_three(share: float | None) -> Verdict:
    """Share of heads in 1, 0, 1."""
    slips = [(1 / 3, "That is the share of tails."), (2, "That is their number: divide it by 3.")]
    because = "Two heads, three tosses."
    return judge(share, 2 / 3, slips, what="Heads over tosses.", because=because)


def one_more_toss(share: float | None) -> Verdict:
    """Share of heads in 1, 0, 1, 1."""
    slips = [(2 / 3, "That is before the fourth toss.")]
    because = "Three heads, four tosses."
    return judge(share, 3 / 4, slips, what="Heads over tosses, now of four.", because=because)


def only_tails(share: float | None) -> Verdict:
    """Share of heads in 0, 0."""
    slips = [(1, "That is the share of tails.")]
    because = "A share that is 0, without a division by 0."
    return judge(share, 0, slips, what="Heads over tosses.", because=because)
'''

MODULE = '''"""One sentence on what chapter $number leaves behind."""

import numpy as np


def share_of_heads(tosses):
    """Share of ones among some tosses.

    Parameters
    ----------
    tosses : (N,) array
        Zeros and ones.

    Returns
    -------
    float
    """
    return np.mean(tosses)
'''

TEST_OF_MODULE = '''"""Properties first, then published numbers, then bad input."""

import numpy as np
from numpy.testing import assert_allclose

from emtools import $module


def test_heads_and_tails_share_one():
    tosses = np.array([1, 0, 1, 1])
    both = $module.share_of_heads(tosses) + $module.share_of_heads(1 - tosses)
    assert_allclose(both, 1, rtol=1e-12)
'''

TEST_OF_CHECKS = '''"""Answers to the exercises of chapter $number, $called."""

import pytest
from verdicts import verdict_of

from emtools.course.exercises import $file as check

RIGHT = [
    (check.two_of_three, [0.6667]),
    (check.one_more_toss, [0.75]),
    (check.only_tails, [0.0]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.two_of_three, [2], "divide"),
    (check.two_of_three, [0.3333], "tails"),
    (check.one_more_toss, [0.6667], "fourth"),
    (check.only_tails, [1], "tails"),
]


@pytest.mark.parametrize(("exercise", "answers", "words"), WRONG)
def test_wrong_answers_are_told_what_is_wrong(exercise, answers, words):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert words in verdict.message
'''


def main(arguments=None):
    """Write a chapter's files, or say in one line why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", help="two digits that no chapter has, such as 17")
    parser.add_argument("file", help="such as toss_a_coin")
    parser.add_argument("title", help='such as "Toss a coin"; begins with a verb')
    parser.add_argument("module", help="what it leaves behind in emtools, such as coin")
    given = parser.parse_args(arguments)
    for slip in slips(given):
        sys.exit(f"no chapter begun: {slip}")
    for path, text in files(given).items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(path.relative_to(ROOT))
    enter(given)


def slips(given):
    """What is wrong with what was typed, and what to do."""
    for name in (given.file, given.module):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            yield f"{name!r} can be no file's name. Take small letters and low lines"
        if keyword.iskeyword(name):
            yield f"{name!r} is a word of Python itself. Take another name"
    if given.file == given.module:
        yield f"file and module are both {given.file!r}, and so are their tests. Take two names"
    if not re.fullmatch(r"\d\d", given.number):
        yield f"{given.number!r} is no number of two digits"
    if not re.fullmatch(r"[A-Z][a-z]+ [^\"\\]+", given.title):
        yield f"the title {given.title!r} must be a verb with a capital letter and more words"
    for chapter in contents.chapters():
        if chapter["number"] == given.number:
            yield (
                f"there is a chapter {given.number}. Give the later ones higher numbers in "
                "notebooks/source/course.toml and run make renumber, or take another number"
            )
        if chapter["file"] == given.file:
            yield f"chapter {chapter['number']} has the file {given.file}. Take another name"
    if hasattr(emtools, given.module) or find_spec(f"emtools.{given.module}"):
        yield f"there is an emtools.{given.module}. Take another name"
    for path in files(given):
        is_test = path.name.startswith("test_")  # its name counts in all folders
        for there in (ROOT / "tests").rglob(path.name) if is_test else path.parent.glob(path.name):
            yield f"{there.relative_to(ROOT).as_posix()} is there. Take another name"


def files(given):
    """The text of each file to write."""
    stem = f"{given.number}_{given.file}"
    texts = {
        SOURCE / f"{stem}.md": HEAD + TEXT,
        SOURCE / "answers" / f"{stem}.md": HEAD + ANSWERS,
        ROOT / "emtools/course/exercises" / f"{given.file}.py": CHECKS,
        ROOT / "emtools" / f"{given.module}.py": MODULE,
        ROOT / "tests/exercises" / f"test_{given.file}.py": TEST_OF_CHECKS,
        ROOT / "tests" / f"test_{given.module}.py": TEST_OF_MODULE,
    }
    called = given.title[0].lower() + given.title[1:]
    return {p: Template(text).substitute(vars(given), called=called) for p, text in texts.items()}


def enter(given):
    """Enter a chapter where chapters are listed: the table, its walks, and the titles' verbs."""
    table = SOURCE / "course.toml"
    text = table.read_text(encoding="utf-8")
    last = contents.chapters()[-1]
    if given.number > last["number"]:  # the longest walk goes to the end
        text = text.replace(f'last = "{last["file"]}"', f'last = "{given.file}"')
    contents.write_if_other(table, text + Template(ENTRY).substitute(vars(given)))

    rules = ROOT / "tests/test_notebooks.py"
    text, verb = rules.read_text(encoding="utf-8"), f'    "{given.title.split()[0]}",\n'
    if verb not in text:
        contents.write_if_other(rules, text.replace("VERBS = {\n", "VERBS = {\n" + verb, 1))


if __name__ == "__main__":
    main()
