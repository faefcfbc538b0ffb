"""How a network is computed: the one forward function, plans, and the probe that picks one."""

from neocog.engine.forward import feature_maps, forward, forward_train, prepare
from neocog.engine.plan import Plan, obeying
from neocog.engine.probe import choose_plan
from neocog.engine.trial import Trial

__all__ = ["Plan", "Trial", "choose_plan", "feature_maps", "forward", "forward_train", "obeying", "prepare"]
