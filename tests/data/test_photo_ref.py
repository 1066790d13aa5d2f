import pytest

from flowers_core.data.photo_ref import PhotoRef, PhotoRefError, oxford, photos_of_dataset, shortened


@pytest.mark.parametrize(
    ("ref", "address"),
    [
        (PhotoRef("oxford", 17), "17"),
        (photos_of_dataset("1a2b3c4d5e6f" + 52 * "0").ref(17), "dataset:1a2b3c4d5e6f:17"),
        (PhotoRef("user", 1_000_003, "efficientnet_lite0"), "user:efficientnet_lite0:1000003"),
        (PhotoRef("custom", 4, "my meadow"), "custom:my meadow:4"),
        (PhotoRef("gallery", 0, "ab" * 32), f"gallery:{64 * '_'}:0".replace("__", "ab")),
    ],
)
def test_an_address_is_read_back(ref: PhotoRef, address: str) -> None:
    assert ref.address == str(ref) == address
    assert PhotoRef.from_address(address) == ref == ref.photo_set.ref(ref.id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "none",
        "-3",
        "1.5",
        "٣",
        "²",
        "user:3",
        "dataset:3",
        "user::3",
        "oxford:x:3",
        "other:x:3",
        "custom:a:b:3",
        "9" * 5000,
    ],
)
def test_what_names_no_photo_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(PhotoRefError, match="names no photo") as refused:
        PhotoRef.from_address(text)
    assert len(str(refused.value)) < 200


def test_one_number_in_two_sources_is_two_photos() -> None:
    assert oxford(3) == PhotoRef("oxford", 3) != PhotoRef("custom", 3, "meadow")
    assert photos_of_dataset("a" * 64).ref(3) not in (oxford(3), photos_of_dataset("b" * 64).ref(3))
    assert len({oxford(3), PhotoRef("custom", 3, "a"), PhotoRef("custom", 3, "b"), PhotoRef("oxford", 3)}) == 3


def test_a_long_text_is_shortened() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "abc…"
