import { cleanLine } from '../../observe/index.js';
import type {
  AuditAnswer,
  ListAnswer,
  LiveAnswer,
  Place,
  QueueAnswer,
  QueueDetailAnswer,
  RedisAnswer,
  ScheduleAnswer,
  SearchAnswer,
} from './answers.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import { history } from './histories.js';
import { auditAnswer, jobRow, limitAnswer, scheduleAnswer, time } from './job-answers.js';
import { type Change, jsonOf } from './live.js';
import { PLACES, readSearch } from './search-words.js';
import { search } from './searching.js';

/** What pages ask for: everything here only reads. */

export async function overview(call: Call, { live }: Context): Promise<LiveAnswer> {
  return liveAnswer(await live.now(), call, live);
}

/** A change, as far as somebody may see it, with the chart of the last hour. */
export async function liveAnswer(
  change: Change,
  { viewer }: Call,
  live: Context['live'],
): Promise<LiveAnswer> {
  const visible = new Set(await viewer.visible(live.queues));
  const chart = { chart: live.chart([...visible]) };
  return JSON.parse(jsonOf(change, (queue) => visible.has(queue), chart)) as LiveAnswer;
}

export async function queueDetail(call: Call, context: Context): Promise<QueueDetailAnswer> {
  const { inspector, live } = context;
  const name = call.query.needed('queue');
  const queue = inspector.queue(name);
  const change = await live.now();
  const [limits, lanes, chart, may] = await Promise.all([
    queue.limits(),
    queue.lanes({ limit: 50 }),
    history(call, context),
    call.viewer.all(name),
  ]);
  const row = change.set.get(`queue:${name}`);
  return {
    queue: row === undefined ? null : (JSON.parse(row) as QueueAnswer),
    // A handler that is known and not limited is no limit.
    limits: limits
      .filter(({ concurrency, rateLimit, until }) => concurrency ?? rateLimit ?? until)
      .map(limitAnswer),
    lanes: lanes.map((lane) => ({
      handler: cleanLine(lane.handler, 200),
      key: cleanLine(lane.key, 200),
      waiting: lane.waiting,
      running: lane.running,
      why: lane.why ?? null,
      opensAt: time(lane.opensAt),
    })),
    chart,
    may,
  };
}

/** A page of a registry, the newest first; of waiting jobs those that are next. */
export async function list({ query, viewer }: Call, context: Context): Promise<ListAnswer> {
  const { inspector, settings } = context;
  const name = query.needed('queue');
  const place = query.oneOf<Place>('in', PLACES) ?? 'queued';
  const limit = query.number('limit', { least: 1, most: 100, otherwise: 50 });
  const start = query.number('from', { least: 0, most: 1e9, otherwise: 0 });
  const queue = inspector.queue(name);
  const total = (await queue.counts())[place];
  const isBackward = NEWEST_LAST.has(place);
  const length = Math.max(0, Math.min(limit, total - start));
  const offset = isBackward ? Math.max(0, total - start - length) : start;
  const jobs = length === 0 ? [] : await queue.jobs(place, { offset, limit: length });
  const seesData = await viewer.may('view:data', name);
  return {
    jobs: (isBackward ? jobs.toReversed() : jobs).map((job) =>
      jobRow(job, settings.redaction, seesData),
    ),
    total,
    may: await viewer.all(name),
  };
}

const NEWEST_LAST: ReadonlySet<Place> = new Set(['finished', 'failed', 'canceled', 'started']);

export async function searchJobs(call: Call, context: Context): Promise<SearchAnswer> {
  const { query, viewer, request } = call;
  const words = readSearch(query.text('q') ?? '');
  const budget = query.number('budget', { least: 100, most: 200_000, otherwise: 10_000 });
  const gone = new AbortController();
  call.response.once('close', () => gone.abort());
  if (request.destroyed && !request.complete) gone.abort();
  const limits = { most: 100, budget, time: SEARCH_MS, signal: gone.signal };
  const found = await search(words, limits, {
    inspector: context.inspector,
    viewer,
    redaction: context.settings.redaction,
  });
  const jobs = await Promise.all(
    found.jobs.map(async (job) =>
      jobRow(job, context.settings.redaction, await viewer.may('view:data', job.queue)),
    ),
  );
  const { looked, total, complete } = found;
  const [place] = words.places;
  const isWhole =
    words.places.length === 1 &&
    words.queue !== undefined &&
    [words.id, words.worker, words.attempts, words.age].every((one) => one === undefined) &&
    words.free.length + words.data.length === 0 &&
    (words.name === undefined || words.name.startsWith('='));
  const selection =
    isWhole && place && words.queue !== undefined
      ? {
          queue: words.queue,
          in: place,
          ...(words.name === undefined ? {} : { name: words.name.slice(1) }),
          ...(words.cause === undefined ? {} : { cause: words.cause }),
          ...(words.error === undefined ? {} : { error: words.error }),
        }
      : null;
  return { jobs, looked, total, complete, selection, may: await viewer.all(words.queue) };
}

const SEARCH_MS = 2000;

export async function schedules(
  { viewer }: Call,
  { inspector }: Context,
): Promise<ScheduleAnswer[]> {
  const all = await inspector.schedules();
  const visible = new Set(await viewer.visible([...new Set(all.map(({ queue }) => queue))]));
  return all.filter(({ queue }) => visible.has(queue)).map(scheduleAnswer);
}

export async function audit({ query, viewer }: Call, context: Context): Promise<AuditAnswer[]> {
  const before = query.text('before');
  const limit = query.number('limit', { least: 1, most: 100, otherwise: 100 });
  const isId = before !== undefined && /^\d{1,16}-\d{1,10}$/.test(before);
  const seen: AuditAnswer[] = [];
  let from = isId ? before : undefined;
  // What happened in queues that somebody may not see is left out: it is looked for further back.
  for (let looks = 0; looks < MOST_LOOKS && seen.length < limit; looks += 1) {
    const entries = await context.inspector.desk.audit.entries({
      ...(from === undefined ? {} : { before: from }),
      limit,
    });
    for (const entry of entries) {
      const { queue } = entry;
      if (seen.length < limit && (queue === undefined || (await viewer.may('view', queue)))) {
        seen.push(auditAnswer(entry, context.settings.redaction));
      }
    }
    if (entries.length < limit) break;
    from = entries.at(-1)?.id;
  }
  return seen;
}

const MOST_LOOKS = 10;

export async function redis(
  { viewer }: Call,
  { inspector, settings }: Context,
): Promise<RedisAnswer> {
  const [server, findings, { queues }] = await Promise.all([
    inspector.server(),
    inspector.findings(),
    inspector.overview(),
  ]);
  const suspended = queues.some((queue) => queue.suspended);
  const named = [...new Set(findings.flatMap(({ queue }) => (queue === undefined ? [] : [queue])))];
  const visible = new Set(await viewer.visible(named));
  return {
    version: server.version ?? null,
    role: server.role ?? null,
    usedMemory: server.usedMemory ?? null,
    maxMemory: server.maxMemory ?? null,
    evictionPolicy: server.evictionPolicy ?? null,
    appendsToFile: server.appendsToFile,
    suspended,
    findings: findings
      .filter(({ queue }) => queue === undefined || visible.has(queue))
      .map(({ severity, code, sentence, fix, queue }) => ({
        level: severity === 'warning' ? 'warning' : 'problem',
        code,
        queue: queue ?? null,
        sentence: settings.redaction.text(cleanLine(sentence)),
        fix: settings.redaction.text(cleanLine(fix)),
      })),
  };
}
