"""The mean over noise, against the same mean taken by hand."""

import torch

from explain.asking import explained, images, network


def test_it_is_the_mean_of_the_derivatives_at_noisy_copies():
    module, pictures, classes = network("silu"), images(2), torch.tensor([1, 4])
    found = explained("smooth_grad", module, pictures, classes, samples=7, noise=0.2, seed=3).maps
    draws = torch.Generator().manual_seed(3)
    noise = torch.stack([torch.randn(3, 12, 12, generator=draws) for _ in range(7)])
    for row, picture in enumerate(pictures):
        copies = (picture + 0.2 * (picture.max() - picture.min()) * noise).requires_grad_()
        module(copies)[:, classes[row]].mean().backward()
        torch.testing.assert_close(found[row], copies.grad.sum(dim=0).abs().amax(dim=0), rtol=1e-4, atol=1e-6)


def test_without_noise_it_is_saliency():
    module, pictures, classes = network(), images(2), torch.tensor([1, 4])
    still = explained("smooth_grad", module, pictures, classes, samples=2, noise=0.0).maps
    torch.testing.assert_close(still, explained("saliency", module, pictures, classes).maps)


def test_more_samples_bring_two_seeds_nearer_to_one_another():
    module, pictures, classes = network("silu"), images(1, 8), torch.tensor([2])

    def apart(count):
        first, second = (explained("smooth_grad", module, pictures, classes, samples=count, seed=seed).maps for seed in (0, 1))
        return (first - second).norm()

    assert apart(64) < 0.5 * apart(2)
