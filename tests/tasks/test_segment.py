"""The task of segmentation: what it loses, decides, counts, and what its objective answers."""

import pytest
import torch
from torch.nn import functional

import neocog
from neocog.augment import place
from neocog.batch import Batch
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.errors import RecipeError, UsageError
from neocog.losses import SEGMENTATION_LOSSES
from neocog.metrics.segmentation import SegmentationMetrics
from neocog.models import create_model
from neocog.objective import Objective
from neocog.targets import Clean, Labels, Mask, Masks, Prediction
from neocog.tasks import Averages, Counts, Judges, Scales, Task, Watches
from neocog.tasks.segment import Segment, SegmentOptions, median_frequency

CLASSES = ("a", "b", "c")
VOID = 255


def task(**options):
    return Segment(SegmentOptions(**options), CLASSES)


def batch_of(masks, to_input=None, sources=None):
    classes = torch.as_tensor(masks)
    count, height, width = classes.shape
    to_input = torch.eye(3).repeat(count, 1, 1) if to_input is None else to_input
    sources = torch.tensor([[height, width]] * count) if sources is None else sources
    return Batch(torch.zeros(count, 3, height, width), Masks(classes, VOID), torch.arange(count), sources, to_input)


@pytest.fixture(scope="module")
def network():
    made = create_model("unet", num_classes=3, image_size=(16, 16), task="segment", base=2, depth=1)
    made.auxiliary_weight = 0.4
    return made


def test_it_is_a_task_and_more():
    assert isinstance(task(), Task)
    for ability in (Averages, Counts, Judges, Scales, Watches):
        assert isinstance(task(), ability)


class TestLoss:
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    other = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(2))
    masks = torch.randint(0, 3, (2, 4, 5), generator=torch.Generator().manual_seed(3))

    @pytest.mark.parametrize("loss", SEGMENTATION_LOSSES)
    def test_the_one_that_was_chosen(self, loss, network):
        batch = batch_of(self.masks)
        found = task(loss=loss).loss(network, {"logits": self.logits}, batch)["total"]
        torch.testing.assert_close(found, SEGMENTATION_LOSSES[loss](self.logits, batch.targets))

    def test_auxiliary_heads_count_by_the_networks_weight(self, network):
        found = task(loss="cross_entropy").loss(network, {"logits": self.logits, "aux1": self.other}, batch_of(self.masks))["total"]
        expected = functional.cross_entropy(self.logits, self.masks) + 0.4 * functional.cross_entropy(self.other, self.masks)
        torch.testing.assert_close(found, expected)

    @pytest.mark.parametrize("options", [{}, {"class_weights": (0.5, 1.0, 3.0)}, {"loss": "focal"}])
    def test_parts_of_a_step_add_up_by_their_weights(self, options, network):
        masks = self.masks.clone()
        masks[0, :3] = VOID
        whole, parts = batch_of(masks), [batch_of(masks[:1]), batch_of(masks[1:])]
        segment = task(**{"loss": "cross_entropy", **options})
        losses = [segment.loss(network, {"logits": self.logits[i : i + 1]}, part)["total"] for i, part in enumerate(parts)]
        weights = [segment.weight(part) for part in parts]
        mean = sum(loss * weight for loss, weight in zip(losses, weights, strict=True)) / sum(weights)
        torch.testing.assert_close(mean, segment.loss(network, {"logits": self.logits}, whole)["total"])

    @pytest.mark.parametrize("loss", ["dice", "dice_cross_entropy", "lovasz"])
    def test_parts_count_by_their_pictures_where_the_loss_compares_areas(self, loss):
        masks = self.masks.clone()
        masks[0, :3] = VOID
        assert task(loss=loss).weight(batch_of(masks)) == 2.0

    def test_a_batch_of_nothing_but_void_has_a_weight(self):
        assert 0 < task(loss="cross_entropy").weight(batch_of(torch.full((1, 4, 5), VOID))) < 1e-3

    def test_weights_for_other_classes_are_refused(self):
        with pytest.raises(RecipeError) as caught:
            task(class_weights=(1.0, 2.0))
        assert str(caught.value) == "expected: 3 class_weights, one for each class\nfound: 2\nto do: give one each for a, b, c"

    @pytest.mark.parametrize("loss", SEGMENTATION_LOSSES)
    def test_other_targets_are_refused(self, loss):
        labels = Labels(torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), torch.ones(2))
        batch = Batch(torch.zeros(2, 3, 4, 5), labels, torch.arange(2), torch.tensor([[4, 5]] * 2), torch.eye(3).repeat(2, 1, 1))
        with pytest.raises(TypeError, match="segmentation needs masks, found Labels"):
            task(loss=loss).weight(batch)


class TestBalance:
    def test_median_frequency_is_its_formula(self):
        first = torch.tensor([[0, 0, 0, 1], [0, 0, 0, 1]], dtype=torch.int32).to(torch.uint16)
        second = torch.tensor([[0, 2, VOID, VOID], [0, 2, VOID, VOID]], dtype=torch.int32).to(torch.uint16)
        # pixels over those of the pictures where the class occurs: 8 of 12, 2 of 8, 2 of 4
        frequencies = [8 / 12, 2 / 8, 2 / 4]
        weights = median_frequency([Mask(first, VOID), Mask(second, VOID)], 3)
        assert weights == pytest.approx([0.5 / frequency for frequency in frequencies], abs=1e-4)

    def test_a_class_that_nothing_is_of_weighs_one(self):
        assert median_frequency([Mask(torch.zeros(2, 2, dtype=torch.uint16))], 2) == (1.0, 1.0)

    def test_it_is_counted_where_it_is_asked_for_and_not_given(self):
        masks = [Mask(torch.zeros(2, 2, dtype=torch.uint16))]
        assert task().counted(masks) == {}
        assert task(balance="median_frequency").counted(masks) == {"class_weights": (1.0, 1.0, 1.0)}
        assert task(balance="median_frequency", class_weights=(1.0, 2.0, 3.0)).counted(masks) == {}

    def test_the_recipe_records_what_was_counted(self, tmp_path):
        choices = {"model": "unet", "base": 4, "depth": 1, "epochs": 1, "count": 30, "size": (16, 16), "image_size": (16, 16)}
        run = neocog.train(
            "shapes", task="segment", out=tmp_path / "run", balance="median_frequency", progress=False, speed="exact", **choices
        )
        weights = run.recipe.task_options["class_weights"]
        assert len(weights) == 6
        assert weights[0] == min(weights)  # the ground is everywhere
        assert run.trained.task.options.class_weights == weights


class TestScale:
    @pytest.mark.parametrize(
        ("source", "shown"),
        [((360, 480), (180, 240)), ((480, 360), (180, 135)), ((90, 120), (180, 240)), ((100, 1000), (24, 240)), ((1, 5000), (1, 240))],
    )
    def test_whole_pictures_fit_inside_with_their_proportions(self, source, shown):
        assert task().scaled(source, (180, 240)) == shown

    def test_windows_are_cut_at_the_pictures_own_scale(self):
        windows = task(fit="crop")
        assert windows.scaled((1000, 3000), (180, 240)) == (1000, 3000)
        assert (windows.fit(True), windows.fit(False)) == ("crop", "native")
        assert (task().fit(True), task().fit(False)) == ("letterbox", "letterbox")


class TestAnswers:
    @pytest.mark.parametrize("source", [(8, 12), (16, 24), (12, 8), (30, 9)])
    def test_they_have_the_sources_size_and_place(self, source):
        """A picture of two halves is answered by what it is: the logits say the class of each pixel of the input."""
        picture = torch.zeros(1, *source, dtype=torch.uint8)
        picture[:, :, source[1] // 2 :] = 1
        dataset = open_dataset("shapes", "segment", count=1, size=(16, 16))
        loader = Loader(dataset, None, 3, lambda size: task().scaled(size, (16, 24)))
        sample = loader._at_scale(picture * 255, Mask(picture[0].to(torch.uint16), VOID))
        kept = sample.target.classes.shape
        matrix = torch.diag(torch.tensor([kept[1] / source[1], kept[0] / source[0], 1.0]))[None]
        loaded = Batch(
            sample.picture[None], Masks(sample.target.classes[None].to(torch.int64), VOID), torch.arange(1), torch.tensor([source]), matrix
        )
        batch = place(loaded, "letterbox", (16, 24))
        logits = 5.0 * functional.one_hot(batch.targets.classes.masked_fill(batch.targets.classes == VOID, 2), 3).movedim(-1, 1).float()
        (prediction,) = task().decode(logits, batch)
        assert prediction.answer.classes.shape == prediction.scores.shape == source
        right = prediction.answer.classes.int() == picture[0].int()
        assert right.float().mean() > 0.9
        assert 0.5 < float(prediction.scores.float().mean()) <= 1

    def test_confidence_is_the_probability_of_the_decided_class(self):
        logits = torch.randn(1, 3, 4, 5)
        (prediction,) = task().decode(logits, batch_of(torch.zeros(1, 4, 5, dtype=torch.int64)))
        expected = logits[0].softmax(0).max(0)
        assert torch.equal(prediction.answer.classes.int(), expected.indices.int())
        torch.testing.assert_close(prediction.scores.float(), expected.values, rtol=1e-3, atol=1e-3)
        (probabilities,) = task().probabilities(logits, batch_of(torch.zeros(1, 4, 5, dtype=torch.int64)))
        torch.testing.assert_close(probabilities, logits[0].softmax(0))

    def test_several_answers_have_the_mean_of_their_probabilities(self):
        outputs = [torch.randn(2, 3, 4, 5) for _ in range(3)]
        mean = torch.stack([one.softmax(1) for one in outputs]).mean(0)
        torch.testing.assert_close(task().average(outputs).softmax(1), mean)

    def test_metrics_are_those_at_the_sources_size(self):
        truth = torch.zeros(8, 12, dtype=torch.int64)
        truth[:, 6:] = 1
        logits = 5.0 * functional.one_hot(truth[::2, ::2], 3).movedim(-1, 0).float()[None]
        halved = batch_of(truth[None, ::2, ::2], torch.diag(torch.tensor([0.5, 0.5, 1.0]))[None], torch.tensor([[8, 12]]))
        sums = task().metrics()
        task().compare(sums, logits, halved, lambda key: Mask(truth.to(torch.int32).to(torch.uint16), VOID))
        assert int(sums.confusion.sum()) == 96
        assert sums.compute()["miou"] == 1
        assert (
            task().judged(Prediction(Mask(truth.to(torch.int32).to(torch.uint16))), Mask(truth.to(torch.int32).to(torch.uint16)))["miou"]
            == 1
        )
        assert isinstance(task().watched(), SegmentationMetrics)
        assert task().watched().primary == task().metrics().primary

    def test_only_masks_are_drawn(self):
        with pytest.raises(TypeError, match="segmentation answers with masks, found Clean"):
            task().draw(torch.zeros(3, 4, 4, dtype=torch.uint8), Prediction(Clean(torch.zeros(3, 4, 4, dtype=torch.uint8))))


@pytest.fixture(scope="module")
def question():
    torch.manual_seed(0)
    model = create_model("unet", num_classes=3, image_size=(16, 20), task="segment", base=4, depth=2).eval()
    images = torch.rand(3, 3, 16, 20)
    masks = torch.randint(0, 3, (3, 16, 20))
    masks[0, :, :4] = VOID
    masks[2] = masks[2].clamp(max=1)
    return model, images, Masks(masks, VOID)


def ask(question, targeted=None, known=True):
    model, images, masks = question
    batch = Batch(images, masks if known else None, torch.arange(3), torch.tensor([[16, 20]] * 3), torch.eye(3).repeat(3, 1, 1))
    return task().objective(model, batch, targeted), model(model.preprocess.normalise(images)).detach()


class TestObjective:
    def test_scores_are_means_over_labelled_pixels(self, question):
        objective, logits = ask(question)
        labelled = question[2].classes != VOID
        expected = torch.stack([logits[i][:, labelled[i]].mean(1) for i in range(3)])
        torch.testing.assert_close(objective.scores(question[1]), expected, rtol=1e-4, atol=1e-5)
        objective, logits = ask(question, known=False)
        torch.testing.assert_close(objective.scores(question[1]), logits.mean((2, 3)), rtol=1e-4, atol=1e-5)

    def test_the_score_asks_for_the_truth_the_decision_or_a_classs_region(self, question):
        masks = question[2].classes
        objective, logits = ask(question)
        own = [logits[i].gather(0, masks[i].masked_fill(masks[i] == VOID, 0)[None])[0][masks[i] != VOID].mean() for i in range(3)]
        torch.testing.assert_close(objective.score(question[1]), torch.stack(own), rtol=1e-4, atol=1e-5)
        objective, _ = ask(question, known=False)
        torch.testing.assert_close(objective.score(question[1]), logits.amax(1).mean((1, 2)), rtol=1e-4, atol=1e-5)
        objective, _ = ask(question, targeted=2)
        regions = [logits[i, 2][masks[i] == 2].mean() if (masks[i] == 2).any() else logits[i, 2].mean() for i in range(3)]
        torch.testing.assert_close(objective.score(question[1]), torch.stack(regions), rtol=1e-4, atol=1e-5)

    def test_the_loss_is_cross_entropy_image_by_image(self, question):
        masks = question[2].classes
        objective, logits = ask(question)
        expected = [functional.cross_entropy(logits[i : i + 1], masks[i : i + 1], ignore_index=VOID) for i in range(3)]
        torch.testing.assert_close(objective.loss(question[1]), torch.stack(expected), rtol=1e-4, atol=1e-5)
        objective, _ = ask(question, targeted=1)
        expected = [-functional.cross_entropy(logits[i : i + 1], torch.ones_like(masks[i : i + 1])) for i in range(3)]
        torch.testing.assert_close(objective.loss(question[1]), torch.stack(expected), rtol=1e-4, atol=1e-5)

    def test_fooled_is_less_than_half_right_or_more_than_half_the_class(self, question):
        model, images, _ = question
        decided = model(model.preprocess.normalise(images)).argmax(1).detach()
        wrong = (decided + 1) % 3
        mostly = decided.clone()
        mostly[:, :9] = wrong[:, :9]  # nine of sixteen rows
        batch = Batch(images, None, torch.arange(3), torch.tensor([[16, 20]] * 3), torch.eye(3).repeat(3, 1, 1))
        for masks, expected in ((decided, False), (mostly, True)):
            objective = task().objective(model, Batch(images, Masks(masks, VOID), *list(vars(batch).values())[2:]))
            assert objective.fooled(images).tolist() == [expected] * 3
        for index in range(3):
            shares = (decided == index).float().mean((1, 2)) > 0.5
            assert torch.equal(task().objective(model, batch, index).fooled(images), shares)
        with pytest.raises(UsageError) as caught:
            task().objective(model, batch).fooled(images)
        assert str(caught.value) == (
            "expected: images whose masks are known, or a class to aim at\nfound: neither\nto do: give labelled data, or a target class"
        )

    def test_it_is_an_objective_that_can_be_selected_from(self, question):
        objective, _ = ask(question)
        assert isinstance(objective, Objective)
        rows = torch.tensor([2, 0, 2])
        images = question[1]
        for method in ("scores", "score", "loss"):
            whole, part = getattr(objective, method)(images), getattr(objective.select(rows), method)(images[rows])
            torch.testing.assert_close(part, whole[rows], rtol=1e-4, atol=1e-5)


def test_a_step_along_the_gradient_lowers_mean_intersection_over_union(tmp_path):
    choices = {
        "model": "unet",
        "base": 8,
        "depth": 2,
        "epochs": 8,
        "batch_size": 8,
        "learning_rate": 5e-3,
        "count": 200,
        "size": (32, 32),
        "image_size": (32, 32),
    }
    run = neocog.train("shapes", task="segment", out=tmp_path / "run", progress=False, speed="exact", **choices)
    segment, model = run.trained.task, run.trained.model
    dataset = open_dataset("shapes", "segment", count=200, size=(32, 32))
    batch = Loader(dataset, None, 3).batch(torch.arange(16))
    objective = segment.objective(model, batch)
    images = batch.images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(objective.loss(images).sum(), images)
    figures = []
    for shown in (batch.images, (batch.images + 8 / 255 * gradient.sign()).clamp(0, 1)):
        sums = segment.metrics()
        segment.compare(sums, model(model.preprocess.normalise(shown)).detach(), batch, dataset.target)
        figures.append(sums.compute()["miou"])
    before, after = figures
    assert before > 0.15
    assert after < 0.9 * before
