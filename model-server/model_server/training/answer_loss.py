"""SFTTrainer that computes logits only where there is a loss."""

from __future__ import annotations

from trl import SFTTrainer


class AnswerLossTrainer(SFTTrainer):
    pass
