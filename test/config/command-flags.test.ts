import { expect, it } from 'vitest';
import { commandFlags } from '../../config/command-flags.ts';
import { loadConfig } from '../../config/config.ts';

it('are none for the stack that the commands assume', () => {
  expect(commandFlags(loadConfig({ env: {} }))).toEqual({ flywheel: '', temporal: '' });
});

it('name all that differs, as words of a shell', () => {
  const config = loadConfig({
    env: { TEMPORAL_NAMESPACE: 'flywheel-b' },
    home: "/srv/ana's home",
    portOffset: 200,
  });

  expect(commandFlags(config)).toEqual({
    flywheel: String.raw` --home '/srv/ana'\''s home' --port-offset 200`,
    temporal: ' --address 127.0.0.1:7433 --namespace flywheel-b',
  });
});

it('name a Temporal server of one’s own', () => {
  const config = loadConfig({ env: { TEMPORAL_ADDRESS: 'temporal.example:7233' } });

  expect(commandFlags(config).temporal).toBe(' --address temporal.example:7233');
});
