import { describe, expect, test } from 'bun:test';
import { SignetError } from '../../src/core/errors/index.ts';
import { temporaryFolder } from '../support/temp.ts';
import { Campaign, type Plan, type Report } from './campaign.ts';
import { corpusOf, keepInput } from './corpus.ts';
import { attempt, Fuzzer, Refused, type Subject, shrink } from './engine.ts';
import { bytes } from './mutate.ts';
import { SUBJECTS } from './planted.ts';

const seeds = [Buffer.from('sample')];
const subject = (check: Subject['check'], change: Partial<Subject> = {}): Subject => {
  return { seeds, mutate: bytes, refusals: ['name-invalid'], check, ...change };
};
const throwing = (error: unknown) => () => {
  throw error;
};
const INPUT = Buffer.from('input');

describe('one input', () => {
  test('is accepted, or refused in one of the ways that the subject names', async () => {
    expect(
      await attempt(
        subject(() => {}),
        INPUT,
      ),
    ).toBe('accepted');
    expect(await attempt(subject(throwing(new Refused())), INPUT)).toBe('refused');
    expect(await attempt(subject(throwing(new SignetError('name-invalid', 'no'))), INPUT)).toBe('refused');
  });

  test.each([
    ['another code', new SignetError('role-invalid', 'no'), 'none of its own'],
    ['a message with an escape sequence', new SignetError('name-invalid', 'a\u001b[31m'), 'cannot be shown'],
    ['a message of two lines', new SignetError('name-invalid', 'a\nb'), 'cannot be shown'],
    ['half a character', new SignetError('name-invalid', '\ud83d'), 'cannot be shown'],
    ['an endless message', new SignetError('name-invalid', 'a'.repeat(5000)), 'cannot be shown'],
    ['an error that is no refusal', new TypeError('undefined is not a function'), 'not a function'],
  ])('breaks the subject with %s', async (_, error, why) => {
    await expect(attempt(subject(throwing(error)), INPUT)).rejects.toThrow(why);
  });

  test('breaks the subject that is slow with it, and is slow again', async () => {
    let calls = 0;
    const slowAtFirst = subject(() => Bun.sleepSync(calls++ === 0 ? 400 : 0), { limit: 300 });
    expect(await attempt(slowAtFirst, INPUT)).toBe('accepted');
    expect(
      attempt(
        subject(() => Bun.sleepSync(30), { limit: 10 }),
        INPUT,
      ),
    ).rejects.toThrow('more than 10 ms');
  });

  test('cannot be changed by the check', async () => {
    const input = Buffer.from(INPUT);
    await attempt(
      subject((given) => void given.fill(0)),
      input,
    );
    expect(input).toEqual(INPUT);
  });
});

describe('many inputs', () => {
  test('begin with the samples, which must be accepted', async () => {
    const fuzzer = new Fuzzer(subject(throwing(new Refused())), 1);
    expect(await fuzzer.round()).toMatchObject({
      input: seeds[0],
      error: { message: 'a sample that is valid was refused' },
    });
  });

  test('are the same for the same seed, and others for another', async () => {
    const inputs = async (seed: number) => {
      const seen: string[] = [];
      const fuzzer = new Fuzzer(
        subject(() => {}),
        seed,
        (input) => seen.push(input.toString('hex')),
      );
      for (let round = 0; round < 50; round++) await fuzzer.round();
      return seen;
    };
    expect(await inputs(1)).toEqual(await inputs(1));
    expect(await inputs(1)).not.toEqual(await inputs(2));
  });

  test('find what is wrong, and it is made small', async () => {
    const wrong = SUBJECTS.get('wrong')?.() ?? subject(() => {});
    const fuzzer = new Fuzzer(wrong, 7);
    let failure: Awaited<ReturnType<Fuzzer['round']>>;
    while (failure === undefined) failure = await fuzzer.round();
    const { input, error } = await shrink(wrong, failure, 10_000);
    expect([...input.toString()].sort().join('')).toBe('!?');
    expect(error.message).toBe('it holds both');
  });
});

describe('a campaign', () => {
  const planOf = (name: string, corpus = temporaryFolder()): Plan => {
    return { module: new URL('./planted.ts', import.meta.url).href, names: ['sound', name], seed: 1, corpus };
  };
  const failureOf = (plan: Plan, hang?: number) =>
    new Promise<Extract<Report, { kind: 'failure' }>>((resolve) => {
      new Campaign(plan, (report) => report.kind === 'failure' && resolve(report), hang);
    });

  test('tells how far it is, and what it found', async () => {
    const progress = Promise.withResolvers<Report>();
    const campaign = new Campaign(planOf('sound'), progress.resolve);
    expect(await progress.promise).toMatchObject({
      kind: 'progress',
      subjects: [{ name: 'sound' }, { name: 'sound' }],
    });
    campaign.stop();
    const { name, input, message } = await failureOf(planOf('wrong'));
    expect([name, [...Buffer.from(input).toString()].sort().join('')]).toEqual(['wrong', '!?']);
    expect(message).toContain('it holds both');
  });

  test('knows the input that a subject does not come back from', async () => {
    const { name, input, message } = await failureOf(planOf('endless'), 500);
    expect([name, message]).toEqual(['endless', 'no end after 500 ms']);
    expect(Buffer.from(input).toString()).toContain('loop');
  });

  test('tries what was kept first', async () => {
    const corpus = temporaryFolder();
    keepInput(corpus, 'wrong', Buffer.from('?...!'));
    expect([...corpusOf(corpus, 'wrong').values()]).toEqual([Buffer.from('?...!')]);
    expect(corpusOf(corpus, 'sound')).toEqual(new Map());
    expect(Buffer.from((await failureOf(planOf('wrong', corpus))).input).toString()).toBe('?!');
  });

  test('says so where it cannot begin', async () => {
    expect((await failureOf(planOf('absent'))).message).toContain('there is no subject absent');
  });
});
