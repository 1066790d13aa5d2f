"""The command that made a model, as values. The line for a person is derived from the values and never parsed."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: An option's value; a tuple for an option that may be given several times.
OptionValue = bool | int | float | str
Options = Mapping[str, OptionValue | tuple[str, ...]]


@dataclass(frozen=True)
class Command:
    """One call of a script.

    Attributes:
        script: the module of the verb, as `python -m` takes it.
        options: name with underscores → value, in the order of the line, only for options that differ from their
            defaults. True and False stand for `--name` and `--no-name`, a tuple for an option given several times.
        arguments: the positional arguments, which come before the options.
    """

    script: str
    options: Options = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """Arguments and options as a command line's words."""
        return [*self.arguments, *option_words(self.options)]

    def line(self) -> str:
        """The line that a person types to do it again."""
        verb = self.script.removeprefix("scripts.").split(".")
        return shlex.join(["flowers", *verb, *self.words()])


def option_words(options: Options) -> list[str]:
    """Options as the words of a command line.

    Example:
        >>> option_words({"epochs": 3, "interpolate": False, "teacher": ("a", "b")})
        ['--epochs', '3', '--no-interpolate', '--teacher', 'a', '--teacher', 'b']
    """
    words: list[str] = []
    for name, value in options.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
            continue
        for each in value if isinstance(value, tuple) else (value,):
            words += [f"--{option}", f"{each:g}" if isinstance(each, float) else str(each)]
    return words


def parse_command(line: str, repeated: Sequence[str] = ("teacher",)) -> Command:
    """Parse the line that bundles of schema 1 kept.

    Args:
        line: the line as it was typed.
        repeated: names of the options that may be given several times.
    """
    words = shlex.split(line)
    script, words = (words[2], words[3:]) if words[:2] == ["python", "-m"] else (words[0], words[1:])
    first = next((place for place, word in enumerate(words) if word.startswith("--")), len(words))
    options: dict[str, OptionValue | tuple[str, ...]] = {}
    place = first
    while place < len(words):
        option, equals, text = words[place].removeprefix("--").partition("=")
        place += 1
        if not equals and place < len(words) and not words[place].startswith("--"):
            equals, text = "=", words[place]
            place += 1
        name = option.replace("-", "_")
        if not equals:
            options[name.removeprefix("no_")] = not name.startswith("no_")
        elif name in repeated:
            given = options.get(name, ())
            options[name] = (*(given if isinstance(given, tuple) else ()), text)
        else:
            options[name] = _value(text)
    return Command(script, options, tuple(words[:first]))


def _value(text: str) -> OptionValue:
    if re.fullmatch(r"[-+]?\d+", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        return float(text)
    return text
