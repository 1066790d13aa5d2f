from app.elements.method_readings import READINGS
from flowers_core.explain.methods import METHODS


def test_every_method_has_its_sentence() -> None:
    assert list(READINGS) == list(METHODS)
    assert all(sentence.endswith(".") for sentence in READINGS.values())
