import re

import pytest

from flowers_core.data.taxonomy import UNKNOWN_FAMILY, Taxon, Taxonomy, load_taxonomy, taxonomy_of

# As published with the dataset, spelling included.
LIST = """
pink primrose; hard-leaved pocket orchid; canterbury bells; sweet pea; english marigold; tiger lily; moon
orchid; bird of paradise; monkshood; globe thistle; snapdragon; colt's foot; king protea; spear thistle;
yellow iris; globe-flower; purple coneflower; peruvian lily; balloon flower; giant white arum lily; fire lily;
pincushion flower; fritillary; red ginger; grape hyacinth; corn poppy; prince of wales feathers; stemless
gentian; artichoke; sweet william; carnation; garden phlox; love in the mist; mexican aster; alpine sea holly;
ruby-lipped cattleya; cape flower; great masterwort; siam tulip; lenten rose; barbeton daisy; daffodil; sword
lily; poinsettia; bolero deep blue; wallflower; marigold; buttercup; oxeye daisy; common dandelion; petunia;
wild pansy; primula; sunflower; pelargonium; bishop of llandaff; gaura; geranium; orange dahlia; pink-yellow
dahlia; cautleya spicata; japanese anemone; black-eyed susan; silverbush; californian poppy; osteospermum;
spring crocus; bearded iris; windflower; tree poppy; gazania; azalea; water lily; rose; thorn apple; morning
glory; passion flower; lotus lotus; toad lily; anthurium; frangipani; clematis; hibiscus; columbine;
desert-rose; tree mallow; magnolia; cyclamen; watercress; canna lily; hippeastrum; bee balm; ball moss;
foxglove; bougainvillea; camellia; mallow; mexican petunia; bromelia; blanket flower; trumpet creeper;
blackberry lily
"""
NAMES = [" ".join(name.split()) for name in LIST.split(";")]


def test_names_are_the_datasets_own():
    taxonomy = load_taxonomy()
    assert len(taxonomy) == 102
    assert [taxon.label for taxon in taxonomy] == list(range(1, 103))
    assert list(taxonomy.names) == NAMES
    assert taxonomy[58].name == "geranium"


def test_latin_names_are_well_formed():
    for taxon in load_taxonomy():
        assert re.fullmatch(r"[A-Z][a-z]+aceae", taxon.family), taxon
        if taxon.genus is not None:
            assert re.fullmatch(r"[A-Z][a-z]+", taxon.genus), taxon
        if taxon.scientific_name is not None:
            assert re.fullmatch(rf"{taxon.genus} (× )?[a-z]+", taxon.scientific_name), taxon


def test_a_genus_lies_in_one_family():
    families: dict[str, set[str]] = {}
    for taxon in load_taxonomy():
        if taxon.genus:
            families.setdefault(taxon.genus, set()).add(taxon.family)
    assert {genus: found for genus, found in families.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("label", "scientific_name", "genus", "family"),
    [
        (1, "Oenothera speciosa", "Oenothera", "Onagraceae"),  # no primrose: an evening primrose
        (12, "Tussilago farfara", "Tussilago", "Asteraceae"),
        (15, "Iris pseudacorus", "Iris", "Iridaceae"),
        (21, "Gloriosa superba", "Gloriosa", "Colchicaceae"),  # no lily
        (44, "Euphorbia pulcherrima", "Euphorbia", "Euphorbiaceae"),
        (51, "Petunia × atkinsiana", "Petunia", "Solanaceae"),
        (55, "Alyogyne huegelii", "Alyogyne", "Malvaceae"),  # no pelargonium
        (58, None, "Pelargonium", "Geraniaceae"),  # no geranium
        (59, "Tithonia rotundifolia", "Tithonia", "Asteraceae"),  # no dahlia
        (74, None, "Rosa", "Rosaceae"),
        (78, "Nelumbo nucifera", "Nelumbo", "Nelumbonaceae"),
        (89, "Tropaeolum majus", "Tropaeolum", "Tropaeolaceae"),  # no watercress
        (93, "Wallisia cyanea", "Wallisia", "Bromeliaceae"),  # no ball moss
        (99, None, None, "Bromeliaceae"),
        (102, "Iris domestica", "Iris", "Iridaceae"),  # no lily
    ],
)
def test_hand_checked_rows(label, scientific_name, genus, family):
    taxon = load_taxonomy()[label]
    assert (taxon.scientific_name, taxon.genus, taxon.family) == (scientific_name, genus, family)


def test_latin_is_the_most_exact_name_known():
    taxonomy = load_taxonomy()
    assert taxonomy[15].latin == "Iris pseudacorus"
    assert taxonomy[74].latin == "Rosa (genus)"
    assert taxonomy[99].latin == "Bromeliaceae"


def test_a_note_stands_where_the_photos_show_another_plant():
    assert load_taxonomy()[89].note == "The photos show garden nasturtium, not watercress."
    assert load_taxonomy()[54].note is None


@pytest.mark.parametrize("label", [0, 103, -1])
def test_an_unknown_label_is_a_key_error(label):
    with pytest.raises(KeyError, match="labels run from 1 to 102"):
        load_taxonomy()[label]


def test_a_taxonomy_holds_each_label_once_in_order():
    rose = Taxon(2, "rose", None, "Rosa", "Rosaceae")
    with pytest.raises(ValueError, match="in order"):
        Taxonomy((rose,))


def test_the_taxonomy_of_names_knows_oxfords_and_takes_others():
    assert taxonomy_of(NAMES) is load_taxonomy()
    found = taxonomy_of(["rose", "edelweiss"])
    assert found[1] == Taxon(1, "rose", None, "Rosa", "Rosaceae", found[1].note, found[1].other_names)
    assert found[2] == Taxon(2, "edelweiss", None, None, UNKNOWN_FAMILY)
