import copy
import io

import pytest
import torch
from torch import nn

from neocog.batch import Batch, Preprocess
from neocog.errors import UsageError
from neocog.models import Learner, Network, StageInfo, create_model, folded_norms
from neocog.targets import Labels

GREY = Preprocess((8, 8), (8, 8), channels=1, mean=(0.5,), std=(0.5,))


def two_stages():
    stages = {"first": nn.Conv2d(1, 2, 3, stride=2), "second": nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))}
    head = nn.Sequential(nn.Flatten(), nn.Linear(2, 3))
    return Network(stages, head, channels=(2, 2), preprocess=GREY, num_classes=3)


def test_stage_info_is_computed():
    assert two_stages().stage_info == (StageInfo("first", 2, 2, 3), StageInfo("second", 4, 2, 5))


def test_the_channels_of_every_stage_must_be_given():
    with pytest.raises(ValueError, match="shorter"):
        Network({"only": nn.Identity()}, nn.Identity(), channels=(), preprocess=GREY, num_classes=1)


def test_first_and_last_layer_are_found():
    network = two_stages()
    assert (network.input_layer, network.output_layers) == ("stages.first", ("head.1",))
    bare = Network({}, nn.Linear(4, 2), channels=(), preprocess=GREY, num_classes=2)
    assert (bare.input_layer, bare.output_layers) == ("head", ("head",))


def with_auxiliary_head():
    stages = {"first": nn.Conv2d(1, 2, 3, stride=2), "second": nn.Conv2d(2, 4, 3)}
    head = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    auxiliary = {"first": nn.Sequential(nn.Flatten(), nn.Linear(18, 3))}
    return Network(stages, head, channels=(2, 4), preprocess=GREY, num_classes=3, auxiliary=auxiliary)


def test_auxiliary_heads_answer_in_training_only():
    network = with_auxiliary_head()
    images = torch.randn(2, 1, 8, 8)
    outputs = network.forward_train(images)
    assert list(outputs) == ["logits", "aux1"]
    assert torch.equal(outputs["logits"], network(images))
    assert torch.equal(outputs["aux1"], network.auxiliary["first"](network.stages["first"](images)))
    assert network.output_layers == ("head.1", "auxiliary.first.1")


def test_only_the_stages_that_are_needed_run():
    network = two_stages()
    ran = []
    network.stages["second"].register_forward_hook(lambda *_: ran.append("second"))
    network.head.register_forward_hook(lambda *_: ran.append("head"))
    assert network.feature_maps(torch.zeros(1, 1, 8, 8), ["first"])["first"].shape == (1, 2, 3, 3)
    assert network.feature_maps(torch.zeros(1, 1, 8, 8), []) == {}
    assert ran == []


def test_a_stage_may_be_asked_for_twice():
    assert list(two_stages().feature_maps(torch.zeros(1, 1, 8, 8), ["first", "first"])) == ["first"]


def test_an_unknown_stage_brings_a_suggestion():
    with pytest.raises(UsageError) as caught:
        two_stages().feature_maps(torch.zeros(1, 1, 8, 8), ["secnd"])
    assert str(caught.value) == "expected: the name of a stage\nfound: 'secnd'\nto do: did you mean second?"
    with pytest.raises(UsageError, match="to do: it has no stages"):
        create_model("softmax_regression").feature_maps(torch.zeros(1, 3, 28, 28), ["first"])


def fold(norm):
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


def test_fresh_norms_are_not_folded():
    assert folded_norms(create_model("resnet20")) == []


def test_folded_norms_stay_in_evaluation():
    network = create_model("resnet20")
    norm = network.stages["stem"].norm
    fold(norm)
    assert folded_norms(network) == [norm]
    network.train()
    assert not norm.training
    assert network.stages["layer1"][0].body[0].norm.training
    assert not copy.deepcopy(network).train().stages["stem"].norm.training


def test_folded_norms_are_seen_in_any_state_that_is_loaded():
    source, target = create_model("resnet20"), create_model("resnet20")
    fold(source.stages["stem"].norm)
    file = io.BytesIO()
    torch.save(source.state_dict(), file)
    file.seek(0)
    target.load_state_dict(torch.load(file, weights_only=True))
    assert target.training
    assert not target.stages["stem"].norm.training
    before = target.stages["stem"].norm.running_var.clone()
    target(torch.randn(2, 3, 32, 32))
    assert torch.equal(target.stages["stem"].norm.running_var, before)


def test_norms_without_statistics_are_not_folded():
    network = Network({"a": nn.BatchNorm2d(1, track_running_stats=False)}, nn.Identity(), channels=(1,), preprocess=GREY, num_classes=1)
    assert folded_norms(network) == []


class NearestMean(Learner):
    """The mean picture of each class; the smallest thing that learns without gradient."""

    def __init__(self, num_classes):
        super().__init__({}, nn.Identity(), channels=(), preprocess=GREY, num_classes=num_classes)
        self.register_buffer("sums", torch.zeros(num_classes, 64))
        self.register_buffer("counts", torch.zeros(num_classes))

    def forward(self, images):
        return -torch.cdist(images.flatten(1), self.sums / self.counts.clamp(min=1)[:, None])

    def update(self, batch, generator):
        self.sums.index_add_(0, batch.targets.classes, batch.images.flatten(1))
        self.counts.index_add_(0, batch.targets.classes, torch.ones(len(batch)))
        return {"seen": float(self.counts.sum())}


def test_a_learner_learns_by_update_and_keeps_it_in_its_state():
    pixels = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    classes = torch.tensor([0, 1])
    batch = Batch(pixels, Labels(classes, classes, torch.ones(2)), classes, torch.full((2, 2), 8), torch.eye(3).repeat(2, 1, 1))
    learner = NearestMean(2)
    assert learner.update(batch, torch.Generator()) == {"seen": 2.0}
    again = NearestMean(2)
    again.load_state_dict(learner.state_dict())
    assert again(pixels).argmax(dim=1).tolist() == [0, 1]


def test_a_learner_must_say_how_it_learns():
    with pytest.raises(TypeError, match="abstract"):
        Learner({}, nn.Identity(), channels=(), preprocess=GREY, num_classes=1)
