"""Augmentations as plain values: what a declaration records, what YAML holds, and what is refused."""

from __future__ import annotations

import pytest

from headrace import augment
from headrace.authoring import Channel, standard_artifacts
from headrace.components import Trainer
from headrace.errors import DefinitionError


def test_what_is_recorded_can_be_read_again():
    """As plain mappings, which YAML holds too; one alone needs no list."""
    given = [augment.flip(), augment.rotate(10), augment.noise(0.1, feature="x"), augment.mixup()]
    text = augment.to_text(given)
    assert text == (
        '[{"horizontal": true, "kind": "flip", "vertical": false}, {"degrees": 10.0, "fill": "reflect", "kind": '
        '"rotate"}, {"deviation": 0.1, "feature": "x", "kind": "noise"}, {"alpha": 0.2, "kind": "mixup"}]'
    )
    assert augment.read([one.plain() for one in given]) == tuple(given)
    assert augment.read({"kind": "zoom", "fraction": 0.1}) == (augment.zoom(0.1),)
    assert augment.read("flip") == (augment.flip(),)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("flipp", "did you mean 'flip'"),
        ({"kind": "rotate"}, "missing 1 required positional argument: 'degrees'"),
        ({"kind": "flip", "sideways": True}, "unexpected keyword argument 'sideways'"),
        ({"kind": "rotate", "degrees": 200}, "above 0, up to 180"),
        ({"kind": "shift", "fraction": -0.1}, "above 0, up to 1"),
        ({"kind": "zoom", "fraction": "much"}, "fraction is 'much'"),
        ({"kind": "shift", "fraction": 0.1, "fill": "black"}, "fill is 'black'"),
        (3, "3 is no augmentation"),
    ],
)
def test_what_is_no_augmentation_is_refused(given: object, told: str):
    with pytest.raises((DefinitionError, TypeError)) as caught:
        augment.read([given])  # type: ignore[list-item]
    assert told in str(caught.value)


def trainer(**given: object) -> Trainer:
    examples = Channel(type=standard_artifacts.Examples)
    return Trainer(
        examples, schema=Channel(type=standard_artifacts.Schema), build_model="os.path:join", **given
    )  # type: ignore[arg-type]


def test_a_trainer_records_them_as_text_and_nothing_where_none_is_given():
    """So that what was recorded before is still the same."""
    made = trainer(augment=augment.flip(), class_balance={1: 6, 0: 1}).exec_properties
    assert made["augment"] == '[{"horizontal": true, "kind": "flip", "vertical": false}]'
    assert made["class_balance"] == '{"0": 1.0, "1": 6.0}'
    assert trainer(class_balance="weights").exec_properties["class_balance"] == '"weights"'
    assert not {"augment", "class_balance"} & {
        name for name, value in trainer().exec_properties.items() if value is not None
    }


@pytest.mark.parametrize(
    ("given", "told"), [("weight", "did you mean 'weights'"), ({0: -1}, "gives class 0 the weight -1")]
)
def test_another_balance_is_refused(given: object, told: str):
    with pytest.raises(DefinitionError) as caught:
        trainer(class_balance=given)
    assert told in str(caught.value)


def test_run_fn_sees_none_of_it():
    examples = Channel(type=standard_artifacts.Examples)
    with pytest.raises(DefinitionError, match="'augment' belongs to the short form"):
        Trainer(examples, run_fn="os.path:join", augment=augment.flip())
