// When an alert begins and when it is over: limits by queue, how long something has to last, and what stands at its limit.
import { alertFailure, alertSentence } from '../../../lib/observe/alert.js';
import { resolveAlerts } from '../../../lib/observe/alert-options.js';
import {
  type AlertRecord,
  firingAlerts,
  muteField,
  nextRecords,
  readRecords,
} from '../../../lib/observe/alert-state.js';
import { measure } from '../../../lib/observe/measured-alerts.js';
import type { QueueOverview } from '../../../lib/observe/overview.js';

const EVERY = 15_000;

const quiet: QueueOverview = {
  queue: 'mail',
  queued: 0,
  started: 0,
  scheduled: 0,
  deferred: 0,
  finished: 0,
  failed: 0,
  canceled: 0,
  retrying: 0,
  overdue: 0,
  overdueMs: 0,
  oldestMs: undefined,
  heldMs: undefined,
  mayStart: false,
  paused: false,
  suspended: false,
  workers: 1,
  slots: 10,
};

const nothing = { exhausted: () => Promise.resolve(0), critical: [], now: 0 };

/** Looks again and again at a queue in these states; what was told at each look. */
async function looks(
  states: readonly Partial<QueueOverview>[],
  options: Parameters<typeof resolveAlerts>[0] = {},
): Promise<string[]> {
  const resolved = resolveAlerts({ every: EVERY / 1000, ...options }, 'test');
  let known: ReadonlyMap<string, AlertRecord> = new Map();
  const told: string[] = [];
  for (const [index, state] of states.entries()) {
    const measured = await measure([{ ...quiet, ...state }], resolved, nothing);
    const next = nextRecords(known, measured, 1_000_000 + index * EVERY, EVERY);
    // As another process would read it.
    const texts = [...next.records].map(([id, record]) => [id, JSON.stringify(record)]);
    known = readRecords(Object.fromEntries(texts));
    told.push(next.told.map(({ rule, state: is }) => `${rule} ${is}`).join(', '));
  }
  return told;
}

const waiting = { queued: 3, mayStart: true, oldestMs: 1000 };

it('jobs that could run and nobody who runs them are an alert without configuration', async () => {
  const alone = { ...waiting, workers: 0 };
  const told = await looks([alone, alone, alone, waiting, waiting]);
  expect(told).toEqual(['', 'workers firing', '', '', 'workers resolved']);
});

it.each([
  ['a deploy', [{ ...waiting, workers: 0 }, waiting]],
  [
    'jobs that a limit holds up',
    [
      { queued: 3, workers: 0 },
      { queued: 3, workers: 0 },
    ],
  ],
  ['a paused queue', Array(3).fill({ ...waiting, workers: 0, paused: true })],
  ['jobs that are held up by a limit, however old', Array(3).fill({ queued: 9, oldestMs: 9e9 })],
])('%s is none', async (_, states) => {
  expect((await looks(states as Partial<QueueOverview>[])).join('')).toBe('');
});

it('jobs that were running when all workers died keep their slots, and that is one', async () => {
  const dead = { queued: 3, started: 2, workers: 0 };
  expect(await looks([dead, dead])).toEqual(['', 'workers firing']);
});

it('what stands at its limit is told once', async () => {
  const retrying = [11_000, 10_500, 9900, 10_100, 9000, 7000, 9000, 7000, 7000, 7000];
  const told = await looks(retrying.map((count) => ({ retrying: count })));
  expect(told).toEqual(['', 'retrying firing', '', '', '', '', '', '', 'retrying resolved', '']);
});

it('a queue has limits of its own, others those of all, and a rule can be turned off', async () => {
  const resolved = resolveAlerts(
    { queues: { mail: { oldest: '1m', retrying: false }, '*': { retrying: 5, workers: false } } },
    'test',
  );
  expect(resolved.limitsOf('mail')).toMatchObject({
    oldest: 60_000,
    retrying: false,
    workers: false,
  });
  expect(resolved.limitsOf('other')).toMatchObject({
    oldest: 600_000,
    retrying: 5,
    overdue: 60_000,
  });
  const old = { ...waiting, oldestMs: 61_000 };
  expect(await looks([old, old], { queues: { mail: { oldest: '1m' } } })).toEqual([
    '',
    'oldest firing',
  ]);
});

it('something has to last as long as the options say, and a pause a day', async () => {
  const backlog = Array(5).fill({ queued: 9 }) as Partial<QueueOverview>[];
  const told = await looks(backlog, { for: '45s', queues: { mail: { backlog: 5 } } });
  expect(told).toEqual(['', '', '', 'backlog firing', '']);
  const paused = Array(4).fill({ paused: true }) as Partial<QueueOverview>[];
  expect(await looks(paused)).toEqual(['', '', '', '']);
  expect(await looks(paused, { queues: { mail: { paused: '30s' } } })).toEqual([
    '',
    '',
    'paused firing',
    '',
  ]);
});

it('a wanted number of workers counts also when nothing is to be done', async () => {
  const one = { workers: 1 };
  const told = await looks([one, one], { queues: { mail: { workers: 2 } } });
  expect(told).toEqual(['', 'workers firing']);
});

it('jobs that failed for good, and critical ones, are alerts at the first look', async () => {
  const options = resolveAlerts({ queues: { mail: { exhausted: { max: 0, per: '5m' } } } }, 'test');
  const found = {
    exhausted: (_: string, per: number) => Promise.resolve(per === 300_000 ? 2 : 0),
    critical: [
      { queue: 'mail', job: 'charge', count: 1, last: 900, lastFailure: '{"jobId":5}' },
      { queue: 'mail', job: 'old', count: 7, last: -400_000, lastFailure: undefined },
    ],
    now: 1000,
  };
  const { told } = nextRecords(new Map(), await measure([quiet], options, found), 1000, EVERY);
  expect(told).toMatchObject([
    { rule: 'exhausted', value: 2, limit: 0, state: 'firing' },
    { rule: 'critical', job: 'charge', severity: 'critical' },
  ]);
});

it('an alert tells which job failed and why, shortened and in one line', () => {
  const long = alertFailure('id\n5', {
    name: 'CardError',
    message: `\u001b[31mno\nmoney${'!'.repeat(999)}`,
  });
  expect(long).toEqual({
    jobId: 'id?5',
    reason: expect.stringMatching(/^CardError: no\?money!+…$/),
  });
  expect(long.reason).toHaveLength(300);
  const about = { rule: 'critical', queue: 'mail', job: 'charge', limit: 0 } as const;
  const lastFailure = alertFailure('id', { name: 'CardError', message: '' });
  expect(alertSentence({ ...about, value: 2, lastFailure }, false)).toBe(
    'charge of mail: 2 critical jobs have failed for good (the last: job id, CardError)',
  );
  expect(alertSentence({ ...about, value: 0, lastFailure }, true)).not.toContain('CardError');
});

it('a rule that nobody asks for any more is over', () => {
  const record: AlertRecord = {
    rule: 'backlog',
    queue: 'mail',
    state: 'firing',
    severity: 'warning',
    value: 9,
    limit: 5,
    since: 0,
    at: 0,
    calm: 0,
  };
  const { told, gone } = nextRecords(new Map([['mail backlog', record]]), [], 1000, EVERY);
  expect(told).toMatchObject([{ state: 'resolved' }]);
  expect(gone).toEqual([]);
  const later = nextRecords(new Map([['mail backlog', told[0]!]]), [], 999_000, EVERY);
  expect(later.gone).toEqual(['mail backlog']);
});

it('what makes no sense in Redis is no alert', () => {
  const good = JSON.stringify({
    rule: 'oldest',
    queue: 'mail',
    state: 'firing',
    severity: 'critical',
    value: 70_000,
    limit: 60_000,
    since: 5,
    at: 6,
    calm: 0,
  });
  const texts = {
    'mail oldest': good,
    'mail other': good,
    bad: '{',
    'x oldest': good.replace('"mail"', '"x"').replace('60000', '1e400'),
    [muteField('mail oldest')]: '2000',
  };
  expect(firingAlerts(texts, 3000)).toMatchObject([
    {
      id: 'mail oldest',
      state: 'firing',
      severity: 'critical',
      since: new Date(5),
      sentence: 'mail: the oldest job that could run has waited for 1m 10s (limit 1m)',
    },
  ]);
  expect(firingAlerts(texts, 1000)).toMatchObject([{ state: 'muted' }]);
});

it.each([
  [{ every: '10ms' }, 'alerts.every'],
  [{ queues: { mail: { oldst: '1m' } } }, 'alerts.queues.mail.oldst'],
  [{ queues: { mail: { exhausted: { max: 0, per: '4h' } } } }, 'alerts.queues.mail.exhausted.per'],
  [{ queues: { mail: { severity: 'bad' } } }, 'alerts.queues.mail.severity'],
  [{ queues: [] }, 'alerts.queues'],
])('impossible options %j are refused by name', (options, key) => {
  expect(() => resolveAlerts(options as never, 'forRoot')).toThrow(key);
});

it.each([
  ['a worker came', 'workers', 1, 'mail: workers serve it again'],
  ['its jobs were deleted', 'workers', 0, 'mail: no job waits for a worker any more'],
  ['its jobs ran, or were deleted', 'overdue', 0, 'mail: no scheduled job is overdue any more'],
] as const)('what is over is told as it is: %s', (_, rule, value, sentence) => {
  expect(
    alertSentence(
      { rule, queue: 'mail', job: undefined, lastFailure: undefined, value, limit: 1 },
      true,
    ),
  ).toBe(sentence);
});
