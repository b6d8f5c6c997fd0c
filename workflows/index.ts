// Every export of this file is registered as a workflow type.
export { approvalGate } from './approval-gate.ts';
export { experiment } from './experiment.ts';
export { flywheel } from './flywheel.ts';
export { retirement } from './retirement.ts';
export { rollout } from './rollout.ts';
export { sweep } from './sweep.ts';
