r"""Patterns of layer names, as PEFT has them in an adapter's config, matched without backtracking.

PEFT takes regular expressions there. Written are names, parts of names and simple choices of
them, so this is the part of the language that is read: characters, `.`, `\d`, `\w`, escaped
punctuation, `[classes]`, `(groups|of choices)`, `*`, `+`, `?`, `^` and `$`. Anything else is
refused by name. All states of a pattern advance together, so the time is the product of the
lengths of pattern and name, whatever the pattern.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

LONGEST: Final = 200  # characters of a pattern
MOST: Final = 1_000  # patterns in a config; the models have some 350 layers
MOST_EXPRESSIONS: Final = 50  # of them that are more than a name
_NAME: Final = re.compile(r"[\w.-]+")
_ESCAPES: Final = {"d": re.compile(r"\d"), "w": re.compile(r"\w"), "s": re.compile(r"\s")}
_ANY: Final = re.compile(r".")
_REPEATS: Final = "*+?"

Program = list[tuple[str, Any]]  # an operation and its operand: a character's pattern, or jumps


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A pattern that ends a name, at its start or after one of its dots."""

    text: str
    program: Program | None  # None: a name, in which a dot stands for any character

    def ends(self, name: str) -> bool:
        """Whether `name` ends with it."""
        if self.program is not None:
            return _run(self.program, name)
        start = len(name) - len(self.text)
        starts = start == 0 or (start > 0 and name[start - 1] == ".")
        pairs = zip(self.text, name[start:] if starts else "", strict=False)
        return starts and all(one in (".", other) for one, other in pairs)


def compile_patterns(found: Any) -> list[tuple[NamePattern, Any]]:
    """Patterns and their values, from a table of a config; none for None.

    Raises:
        ValueError: it is no table, has too many patterns, or one that is not read.
    """
    table = {} if found is None else found
    if not isinstance(table, Mapping):
        raise ValueError("its patterns are not a table")
    if len(table) > MOST:
        raise ValueError(f"it has {len(table)} patterns, but at most {MOST} are read")
    compiled = [(compile_pattern(text), value) for text, value in table.items()]
    if sum(pattern.program is not None for pattern, _ in compiled) > MOST_EXPRESSIONS:
        raise ValueError(f"more than {MOST_EXPRESSIONS} of its patterns are more than a name")
    return compiled


def compile_pattern(text: str) -> NamePattern:
    """
    Raises:
        ValueError: the pattern is not one that is read here.
    """
    if len(text) > LONGEST:
        raise ValueError(
            f"the pattern {text[:40]!r}… has {len(text)} characters, but at most {LONGEST} are read"
        )
    if _NAME.fullmatch(text):
        return NamePattern(text, None)
    return NamePattern(text, _Parser(text).parse())


class _Parser:
    """One pattern to a program, from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def parse(self) -> Program:
        program = self.choices(0)
        if self.at < len(self.text):
            raise self.refused("an unbalanced bracket")
        return program

    def refused(self, what: str) -> ValueError:
        return ValueError(
            f"the pattern {self.text!r} has {what}; names, '.', classes, groups, '|', '*', '+' "
            "and '?' are read"
        )

    def next(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def choices(self, depth: int) -> Program:
        program = self.sequence(depth)
        while self.next() == "|":
            self.at += 1
            other = self.sequence(depth)
            program = [
                ("split", (1, len(program) + 2)),
                *program,
                ("jump", len(other) + 1),
                *other,
            ]
        return program

    def sequence(self, depth: int) -> Program:
        program: Program = []
        while self.next() not in ("", "|", ")"):
            program += self.repeated(self.item(depth))
        return program

    def repeated(self, item: Program) -> Program:
        mark = self.next()
        if not mark or mark not in _REPEATS:
            return item
        self.at += 1
        if self.next() and self.next() in f"{_REPEATS}{{":
            raise self.refused("a repetition of a repetition")
        if mark == "?":
            return [("split", (1, len(item) + 1)), *item]
        if mark == "+":
            return [*item, ("split", (-len(item), 1))]
        return [("split", (1, len(item) + 2)), *item, ("jump", -len(item) - 1)]

    def item(self, depth: int) -> Program:
        char = self.next()
        self.at += 1
        if char == "(":
            return self.group(depth)
        if char == "[":
            return [("char", self.char_class())]
        if char == "\\":
            return [("char", self.escape())]
        if char in "^$":
            if self.next() and self.next() in f"{_REPEATS}{{":
                raise self.refused(f"a repetition of {char!r}")
            return [(char, None)]
        if char in _REPEATS or char in "{}":
            raise self.refused(f"{char!r} where there is nothing that it repeats")
        return [("char", _ANY if char == "." else re.compile(re.escape(char)))]

    def group(self, depth: int) -> Program:
        if depth > 5:
            raise self.refused("groups more than 5 deep")
        if self.text.startswith("?:", self.at):
            self.at += 2
        elif self.next() == "?":
            raise self.refused("an extension that begins with '(?'")
        inside = self.choices(depth + 1)
        if self.next() != ")":
            raise self.refused("an unbalanced bracket")
        self.at += 1
        return inside

    def escape(self) -> re.Pattern[str]:
        char = self.next()
        self.at += 1
        if char in _ESCAPES:
            return _ESCAPES[char]
        if not char or char.isalnum():
            raise self.refused(f"the escape \\{char}")
        return re.compile(re.escape(char))

    def char_class(self) -> re.Pattern[str]:
        end = self.text.find("]", self.at + 1)
        inside = self.text[self.at : end]
        if end < 0 or not re.fullmatch(r"\^?[\w.-]+", inside):
            raise self.refused("a class that is not of letters, digits, '_', '.' and '-'")
        self.at = end + 1
        try:
            return re.compile(f"[{inside}]")
        except re.error as error:
            raise self.refused(f"a faulty class ({error})") from error


def _run(program: Program, name: str) -> bool:
    threads: set[int] = set()
    for place in range(len(name) + 1):
        starts = [0] if place == 0 or name[place - 1] == "." else []
        threads = _followed(program, [*threads, *starts], place, len(name))
        if place == len(name):
            break
        threads = {
            thread + 1
            for thread in threads
            if thread < len(program) and program[thread][1].fullmatch(name[place])
        }
    return len(program) in threads


def _followed(program: Program, waiting: list[int], place: int, length: int) -> set[int]:
    """The characters, and perhaps the end, that are reached without taking a character."""
    seen, reached = set(waiting), set()
    while waiting:
        thread = waiting.pop()
        operation, operand = program[thread] if thread < len(program) else ("char", None)
        if operation == "char":
            reached.add(thread)
            continue
        following = {
            "jump": lambda jump: [jump],
            "split": list,
            "^": lambda _: [1] if place == 0 else [],
            "$": lambda _: [1] if place == length else [],
        }[operation](operand)
        new = [thread + jump for jump in following if thread + jump not in seen]
        seen.update(new)
        waiting += new
    return reached
