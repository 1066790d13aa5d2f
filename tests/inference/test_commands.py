import pytest

from flowers_core.inference.commands import Command, parse_command

OPTIONS = (
    "--backbone tiny --random-weights --teacher a --teacher b --epochs 3 "
    "--learning-rate 0.0006 --no-interpolate --out models/made"
)


def test_a_line_of_schema_1_becomes_values() -> None:
    command = parse_command(f"python -m scripts.train {OPTIONS}")
    assert command == Command(
        "scripts.train",
        {
            "backbone": "tiny",
            "random_weights": True,
            "teacher": ("a", "b"),
            "epochs": 3,
            "learning_rate": 0.0006,
            "interpolate": False,
            "out": "models/made",
        },
    )
    assert [type(value) for value in command.options.values()] == [str, bool, tuple, int, float, bool, str]
    assert command.line() == f"flowers train {OPTIONS}"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("python -m scripts.join both one two", Command("scripts.join", {}, ("both", "one", "two"))),
        ("python -m scripts.train --augmentation=strong", Command("scripts.train", {"augmentation": "strong"})),
        ("python -m scripts.train --out 'my models/a'", Command("scripts.train", {"out": "my models/a"})),
        ("python -m scripts.train --label-smoothing -1e-3", Command("scripts.train", {"label_smoothing": -0.001})),
        (
            "python -m scripts.train --also-validation 1020_run",
            Command("scripts.train", {"also_validation": "1020_run"}),
        ),
    ],
)
def test_options_are_read_however_they_are_written(line: str, command: Command) -> None:
    assert parse_command(line) == command


def test_a_value_with_a_space_stays_one_word() -> None:
    command = Command("scripts.train", {"out": "my models/a", "step_size": 64}, ("name",))
    assert command.words() == ["name", "--out", "my models/a", "--step-size", "64"]
    assert command.line() == "flowers train name --out 'my models/a' --step-size 64"
    assert parse_command("python -m scripts.train name --out 'my models/a' --step-size 64") == command


def test_a_verb_of_two_words_is_typed_as_two() -> None:
    assert Command("scripts.study.keep_record", {}, ("one",)).line() == "flowers study keep_record one"
