import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional

from neocog.batch import Batch
from neocog.errors import RecipeError
from neocog.models import create_model, describe
from neocog.models.neocognitron import FALL_OF_C, INITIAL, PAIRS, ComplexCells, NearestMean, SimpleCells, _seeds
from neocog.targets import Labels, Masks
from references.neocognitron import SecondNeocognitron, key


def batch_of(images, labels):
    count = len(images)
    targets = Labels(labels, labels, torch.ones(count))
    return Batch(images, targets, torch.arange(count), torch.full((count, 2), 16), torch.eye(3).repeat(count, 1, 1))


def taught(images, labels, passes=1, seed=0, **options):
    torch.manual_seed(seed)
    model = create_model("neocognitron", num_classes=int(labels.max()) + 1, in_channels=1, image_size=tuple(images.shape[2:]), **options)
    step = 0
    for _ in range(passes):
        for rows in torch.arange(len(images)).split(64):
            model.update(batch_of(images[rows], labels[rows]), torch.Generator().manual_seed(step))
            step += 1
    return model.eval()


def bars(count=40, seed=0):
    """Horizontal and vertical bars at random places."""
    draws = torch.Generator().manual_seed(seed)
    images, labels = torch.zeros(count, 1, 16, 16), torch.arange(count) % 2
    for image, label in zip(images, labels, strict=True):
        at = int(torch.randint(3, 13, (), generator=draws))
        if label:
            image[0, 3:13, at] = 1
        else:
            image[0, at, 3:13] = 1
    return images, labels


def digits():
    data = load_digits()
    pixels = torch.tensor(data.images / 16, dtype=torch.float32)[:, None]
    images = functional.interpolate(pixels, (16, 16), mode="bilinear")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return images[order], torch.tensor(data.target)[order]


def test_layers_have_the_papers_sizes():
    with torch.device("meta"):
        model = create_model("neocognitron", in_channels=1)
    maps = model.feature_maps(torch.empty(1, 1, 16, 16, device="meta"), list(model.stages))
    assert {name: tuple(found.shape[1:]) for name, found in maps.items()} == {
        "s1": (24, 16, 16),
        "c1": (24, 10, 10),
        "s2": (24, 8, 8),
        "c2": (24, 6, 6),
        "s3": (24, 2, 2),
        "c3": (24, 1, 1),
    }
    assert [(info.stride, info.receptive_field) for info in model.stage_info] == [(1, side) for side in (5, 9, 13, 17, 21, 21)]


def test_multiply_adds_are_those_of_the_cells_with_weights():
    with torch.device("meta"):
        rows = describe(create_model("neocognitron", in_channels=1)).rows
    assert [row.multiply_adds for row in rows if row.name != "head"][::2] == [
        25 * 256 * 25,
        25 * 64 * 24 * 25,
        25 * 4 * 24 * 25,
    ]
    assert rows[-1].multiply_adds == 10 * 24 * 137


def test_larger_images_make_larger_planes_and_one_last_cell():
    images, labels = torch.rand(4, 3, 20, 23), torch.tensor([0, 1, 2, 0])
    torch.manual_seed(0)
    model = create_model("neocognitron", num_classes=3, image_size=(20, 23), planes=4)
    model.update(batch_of(images, labels), torch.Generator().manual_seed(0))
    assert [tuple(found.shape[1:]) for found in model.feature_maps(images, ["c1", "c3"]).values()] == [(4, 14, 17), (4, 1, 1)]
    assert model(images).shape == (4, 3)


@pytest.mark.parametrize("selectivity", [1.5, 4.0, 12.0])
def test_a_cell_answers_windows_within_its_angle_of_what_it_learnt(selectivity):
    torch.manual_seed(0)
    cells = SimpleCells(1, 1, selectivity, PAIRS[2])
    learnt = torch.rand(1, 5, 5)
    for _ in range(1_000):
        cells.learn(learnt)
    share = cells.shares(cells.excitation)[0]
    assert float(share.sum()) == pytest.approx(1)
    assert float(share[0, 2, 2] / share[0, 2, 1]) == pytest.approx(1 / FALL_OF_C)
    others = torch.cat([learnt[None], learnt + torch.randn(60, 1, 5, 5) * torch.linspace(0, 1, 60)[:, None, None, None]]).clamp(min=0)
    cosine = (share * others * learnt).sum((1, 2, 3)) / ((share * others**2).sum((1, 2, 3)) * (share * learnt**2).sum()).sqrt()
    answers = cells(others)[:, 0, 0, 0]
    expected = selectivity * (cosine * (1 + selectivity) / selectivity - 1).clamp(min=0)
    torch.testing.assert_close(answers, expected, atol=0.03, rtol=0.02)
    assert float(answers[0]) == pytest.approx(1, abs=0.03)


def test_a_seed_gains_in_proportion_to_what_it_sees():
    torch.manual_seed(0)
    cells = SimpleCells(2, 3, 4.0, PAIRS[1])
    maps = torch.rand(2, 7, 7)
    before = cells.excitation.clone()
    answers, v = cells.answers(maps[None])
    seeds = _seeds(answers[0], 5)
    cells.learn(maps)
    share = cells.shares(before)[0]
    around = functional.pad(maps, (1, 1, 1, 1))
    for plane in range(3):
        gained = cells.excitation[plane] - before[plane]
        if plane in seeds:
            row, column = seeds[plane]
            torch.testing.assert_close(gained, 16 * share * around[:, row : row + 5, column : column + 5], atol=1e-6, rtol=1e-4)
            assert float(cells.inhibition[plane]) == pytest.approx(8 * float(v[0, 0, row, column]), rel=1e-5)
        else:
            assert not gained.any()
            assert cells.inhibition[plane] == 0
    assert len(seeds) >= 1


def test_seeds_are_the_strongest_cells_of_columns_one_for_each_plane():
    answers = torch.rand(4, 8, 8, generator=torch.Generator().manual_seed(0))
    answers[3] = 0
    candidates = set()
    for top in range(4):
        for left in range(4):
            column = answers[:, top : top + 5, left : left + 5]
            plane, row, at = (int(index) for index in torch.unravel_index(column.argmax(), column.shape))
            candidates.add((plane, top + row, left + at))
    expected = {}
    for plane, row, column in sorted(candidates, key=lambda cell: -float(answers[cell])):
        expected.setdefault(plane, (row, column))
    assert _seeds(answers, 5) == expected
    assert 3 not in expected
    assert _seeds(torch.zeros(2, 4, 4), 5) == {}


def test_complex_cells_answer_wherever_in_their_window_a_simple_cell_does():
    cells = ComplexCells(PAIRS[1])
    maps = torch.zeros(1, 2, 8, 8)
    maps[0, 0, 3, 3] = 5
    answers = cells(maps)[0]
    assert (answers[0] > 0).sum() == 25
    assert not answers[1].any()  # no more than the mean of the planes
    assert float(answers.max()) < 1
    excited = torch.tensor(5.0)
    above = (1 + excited) / (1 + excited / 2) - 1
    assert float(answers.max()) == pytest.approx(float(above / (0.5 + above)))


def test_means_are_those_of_the_features_in_whatever_batches_they_come():
    features, labels = torch.rand(50, 6), torch.arange(50) % 3
    head = NearestMean(6, 4)
    for rows in torch.arange(50).split(7):
        head.learn(features[rows], labels[rows])
    means = torch.stack([features[labels == label].mean(0) for label in range(3)])
    torch.testing.assert_close(head.means[:3], means)
    torch.testing.assert_close(head(features)[:, :3], -(torch.cdist(features, means) ** 2), atol=1e-5, rtol=1e-4)
    head.forget()
    assert not head.means.any()
    assert not head.counts.any()


def test_layers_learn_in_turn_and_labels_play_no_part_in_features():
    images, labels = bars()
    model = taught(images, labels, presentations=10)
    assert int(model.head.shown) == 30
    assert model.head.counts.tolist() == [20, 20]
    shuffled = taught(images, labels.flip(0).roll(7), presentations=10)
    for name, value in model.state_dict().items():
        if name.startswith("stages."):
            assert torch.equal(value, shuffled.state_dict()[name])
    first = taught(images[:8], labels[:8], presentations=10)
    assert first.stages["s1"].cells.inhibition.any()
    assert not first.stages["s2"].cells.inhibition.any()
    assert float(first.stages["s2"].cells.excitation.max()) < INITIAL


def test_bars_are_told_apart_wherever_they_are():
    images, labels = bars()
    model = taught(images, labels, presentations=20, passes=3)
    others, truth = bars(seed=5)
    assert float((model(others).argmax(1) == truth).float().mean()) > 0.9


def test_what_it_has_learnt_is_its_state():
    images, labels = bars()
    whole = taught(images, labels, presentations=30, planes=6)
    torch.manual_seed(9)
    again = create_model("neocognitron", num_classes=2, in_channels=1, planes=6, presentations=30)
    again.load_state_dict(whole.state_dict())
    for model in (whole, again):
        model.update(batch_of(images, labels), torch.Generator().manual_seed(99))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())


def test_once_it_has_learnt_it_answers_as_the_second_implementation():
    images, labels = bars()
    model = taught(images, labels.roll(3) + 8, presentations=15)
    theirs = SecondNeocognitron()
    names = {key(name): name for name in theirs.state_dict()}
    theirs.load_state_dict({names[name]: value for name, value in model.state_dict().items()})
    for name in ("s1", "s2", "s3"):
        assert (model.stages[name].cells.inhibition > 0).any()
    torch.testing.assert_close(model(images[:3]), theirs(images[:3]), atol=1e-4, rtol=0)


@pytest.mark.slow
def test_on_digits_nearest_means_of_features_beat_nearest_means_of_pixels():
    images, labels = digits()
    seen, truth = slice(0, 1437), slice(1437, None)
    means = torch.stack([images[seen][labels[seen] == label].flatten(1).mean(0) for label in range(10)])
    of_pixels = float((torch.cdist(images[truth].flatten(1), means).argmin(1) == labels[truth]).float().mean())
    model = taught(images[seen], labels[seen], passes=2, presentations=500)
    of_features = float((model(images[truth]).argmax(1) == labels[truth]).float().mean())
    print(f"nearest mean of pixels {of_pixels:.4f}, of features {of_features:.4f}")
    assert of_features > of_pixels


def test_labels_are_needed():
    model = create_model("neocognitron", num_classes=2, in_channels=1, planes=2)
    batch = batch_of(torch.rand(1, 1, 16, 16), torch.tensor([0]))
    wrong = Batch(batch.pixels, Masks(torch.zeros(1, 16, 16, dtype=torch.int64), 255), batch.keys, batch.source_sizes, batch.to_input)
    with pytest.raises(TypeError) as caught:
        model.update(wrong, torch.Generator())
    assert str(caught.value) == "expected labels to learn from, found Masks"


def test_a_selectivity_of_none_is_refused():
    with pytest.raises(RecipeError) as caught:
        create_model("neocognitron", selectivity=(4.0, 0.0, 1.5))
    assert str(caught.value) == (
        "expected: selectivity to be 3 numbers above 0\nfound: (4.0, 0.0, 1.5)\n"
        "to do: give selectivity 3 numbers above 0; the default is [12.0, 2.0, 2.0]"
    )
