import { z } from 'zod';
import type { TrainingProgress } from '../../activities/ports/trainer.ts';

/** Metrics as automodel's training step tells them, which our plug-in does too. */
export const Progress = z
  .object({
    step: z.number(),
    max_steps: z.number().nullish(),
    train_loss: z.number().nullish(),
    val_loss: z.number().nullish(),
  })
  .transform(
    (told): TrainingProgress => ({
      step: told.step,
      totalSteps: told.max_steps ?? told.step,
      trainLoss: told.train_loss ?? null,
      validationLoss: told.val_loss ?? null,
    }),
  );

/** Before it has the device; the platform calls it active all the same. */
export const waitingPhases: readonly (string | undefined)[] = ['preparing', 'waiting for the device'];

/** What our plug-in tells of itself. */
export const Outcome = z.object({
  phase: z.string().optional(),
  train_seconds: z.number().nullish(),
  /** In the words of the model server behind it. */
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
});

export const CreatedJob = z.object({
  name: z.string(),
  spec: z.object({ output: z.object({ name: z.string() }) }),
});
