import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** One test, as a runner's machine-readable report tells it. */
export interface Outcome {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Of one that belongs to a file, which alone can be run once more. */
  readonly file?: string;
  /** Why it failed. */
  readonly failure?: string;
}

/** More files than this have not been unlucky. */
const mostUnlucky = 5;

/** The files to run once more: tests build on each other, so that one test alone means nothing. */
export function unluckyFiles(outcomes: readonly Outcome[]): readonly string[] {
  const failed = outcomes.filter(({ state }) => state === 'failed');
  const files = [...new Set(failed.flatMap(({ file }) => file ?? []))];
  return files.length > mostUnlucky ? [] : files;
}

/** Of files that ran twice, only the second time counts. */
export function withSecondAttempt(first: readonly Outcome[], second: readonly Outcome[]): readonly Outcome[] {
  const again = new Set(second.map(({ file }) => file));
  return [...first.filter(({ file }) => file === undefined || !again.has(file)), ...second];
}

const VitestReport = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          ...{ fullName: z.string(), status: z.string() },
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});

/** Reads vitest's JSON report. A runner that failed without a failed test counts as one. */
export async function readVitest(report: string, exitCode: number): Promise<Outcome[]> {
  const text = await readFile(report, 'utf8').catch(() => '{"testResults":[]}');
  const { testResults } = VitestReport.parse(JSON.parse(text));
  const outcomes = testResults.flatMap(({ name: file, status, message, assertionResults }) => {
    const tests = assertionResults.map((test): Outcome => {
      const state = vitestState(test.status);
      const [failure = ''] = test.failureMessages;
      return { title: test.fullName, state, file, ...(state === 'failed' && { failure }) };
    });
    // A file that could not be loaded has no tests to tell of.
    const broken = status === 'failed' && tests.every(({ state }) => state !== 'failed');
    const title = `${file} could not be run`;
    return broken ? [...tests, { title, state: 'failed' as const, file, failure: message ?? '' }] : tests;
  });
  return withExitCode('vitest', outcomes, exitCode);
}

function vitestState(status: string): Outcome['state'] {
  if (status === 'passed') return 'passed';
  return status === 'failed' ? 'failed' : 'skipped';
}

/** Reads pytest's JUnit report: `<testcase classname name>` with, inside, failure, error, skipped or nothing. */
export async function readPytest(file: string, exitCode: number): Promise<Outcome[]> {
  const xml = await readFile(file, 'utf8').catch(() => '');
  const cases = [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)];
  const outcomes = cases.map(([, attributes = '', body = '']) => {
    const reason = /<skipped[^>]*message="([^"]*)"/.exec(body)?.[1];
    const module = attribute(attributes, 'classname');
    const name = `${module}::${attribute(attributes, 'name')}`;
    const state = pytestState(body);
    return {
      ...{ title: reason === undefined ? name : `${name} (${reason})`, state },
      // A file that could not be read has no module.
      ...(module !== '' && { file: `${module.replaceAll('.', '/')}.py` }),
      ...(state === 'failed' && {
        failure: /<(?:failure|error) [^>]*?message="([^"]*)"/.exec(body)?.[1] ?? '',
      }),
    };
  });
  return withExitCode('pytest', outcomes, exitCode);
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
}

function pytestState(body: string): Outcome['state'] {
  if (/<(failure|error)\b/.test(body)) return 'failed';
  return /<skipped\b/.test(body) ? 'skipped' : 'passed';
}

function withExitCode(runner: string, outcomes: Outcome[], exitCode: number): Outcome[] {
  if (exitCode === 0 || outcomes.some(({ state }) => state === 'failed')) return outcomes;
  return [...outcomes, { title: `${runner} ended with exit code ${exitCode}`, state: 'failed' }];
}
