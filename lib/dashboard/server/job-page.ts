import type { JobSnapshot, RqJob } from '../../observe/index.js';
import { JobNotFoundError, MalformedJobError, cleanLine } from '../../observe/index.js';
import type { JobAnswer } from './answers.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import { attemptAnswer, jobRow, time } from './job-answers.js';
import type { Redaction } from './redaction.js';
import { linkOf } from './settings.js';

/** Everything about one job, whoever wrote it; its data only for those who may see that. */
export async function jobPage(call: Call, { inspector, settings }: Context): Promise<JobAnswer> {
  const { viewer } = call;
  const id = call.query.needed('id');
  const job = await inspector.job(id);
  if (!job) throw new JobNotFoundError({ jobId: id });
  const summary = await job.summary();
  await viewer.demand('view', job.queue, summary.name);
  const seesData = await viewer.may('view:data', job.queue, summary.name);
  const [snapshot, results, logs, dependents, may] = await Promise.all([
    snapshotOf(job),
    job.results(),
    seesData ? job.logs({ limit: 1000 }) : [],
    job.dependents(),
    viewer.all(job.queue, summary.name),
  ]);
  const { redaction } = settings;
  const row = jobRow(summary, redaction, seesData);
  const whole = 'problem' in snapshot ? undefined : snapshot;
  const last = results.at(-1);
  const parents = whole?.waitsFor ?? summary.waitsFor;
  const trace = whole && traceIn(whole.meta);
  const values = { traceId: trace, jobId: id, queue: job.queue, name: summary.name };
  const lastError = results.findLast(({ error }) => error !== undefined);
  const failure =
    row.failure ??
    (lastError && summary.status !== 'finished'
      ? attemptAnswer(lastError, redaction, seesData).error
      : null);
  const data = whole && seesData ? dataOf(whole, last?.value, job.queue, redaction) : undefined;
  return {
    ...row,
    failure,
    repeatsLeft: summary.repeatsLeft ?? null,
    ...data?.values,
    ...(seesData && { logs: logs.map((line) => redaction.text(cleanLine(line))) }),
    unreadable: 'problem' in snapshot ? snapshot.problem : null,
    hasResult: last?.outcome === 'finished',
    dataBytes: null,
    redacted: data?.redacted ?? false,
    attemptList: results.map((attempt) => attemptAnswer(attempt, redaction, seesData)),
    position: summary.status === 'queued' ? ((await job.position()) ?? null) : null,
    heldUpBy: summary.status === 'queued' ? await heldUpBy(job) : [],
    waitsFor: await Promise.all(
      (parents?.jobs ?? []).slice(0, MOST_RELATED).map(async (parent) => {
        const found = await inspector.job(parent);
        const about =
          found && (await viewer.may('view', found.queue)) ? await found.summary() : undefined;
        return {
          id: parent,
          queue: about?.queue ?? null,
          status: about?.status ?? null,
          name: about?.name ?? null,
        };
      }),
    ),
    waitsForGroup: parents?.group ?? null,
    dependents: await Promise.all(
      dependents
        .slice(0, MOST_RELATED)
        .map(async (child) =>
          (await viewer.may('view', child.queue))
            ? relatedOf(child)
            : { id: child.id, queue: null, status: null, name: null },
        ),
    ),
    schedule: whole?.tick?.schedule ?? null,
    trace: linkOf(settings.links.trace, values),
    logsLink: linkOf(settings.links.logs, values),
    may,
  };
}

async function snapshotOf(job: RqJob): Promise<JobSnapshot | { problem: string }> {
  try {
    return await job.refresh();
  } catch (error) {
    if (error instanceof MalformedJobError) return { problem: error.message };
    throw error;
  }
}

/** Its time, and the jobs that it waits for, are told otherwise. */
async function heldUpBy(job: RqJob): Promise<JobAnswer['heldUpBy']> {
  try {
    const waits = await job.waitsFor();
    return waits
      .filter(({ why }) => !TOLD_OTHERWISE.has(why))
      .map(({ sentence, until }) => ({ what: cleanLine(sentence, 300), until: time(until) }));
  } catch (error) {
    if (error instanceof JobNotFoundError) return [];
    throw error;
  }
}

const TOLD_OTHERWISE: ReadonlySet<string> = new Set(['time', 'jobs', 'group']);

async function relatedOf(job: RqJob) {
  try {
    const { name, status } = await job.summary();
    return { id: job.id, queue: job.queue, status, name: name ?? null };
  } catch (error) {
    if (!(error instanceof JobNotFoundError)) throw error;
    return { id: job.id, queue: job.queue, status: null, name: null };
  }
}

function dataOf(job: JobSnapshot, result: unknown, queue: string, redaction: Redaction) {
  // Of a job with one argument that is its data: it is told once, and what is blanked in it nowhere.
  const isCall = job.args.length !== 1 || Object.keys(job.kwargs).length > 0;
  const of = (value: unknown, root: string) => redaction.value(shortened(value), queue, root);
  const data = of(isCall ? undefined : job.data, 'data');
  const args = isCall ? job.args.map((arg) => of(arg, 'data')) : [];
  const kwargs = of(isCall ? job.kwargs : {}, 'data');
  const meta = of(job.meta, 'meta');
  const value = of(result, 'result');
  const progress = of(job.progress, 'progress');
  const all = [data, ...args, kwargs, meta, value, progress];
  return {
    redacted: all.some(({ redacted }) => redacted),
    values: {
      data: data.value,
      args: args.map((arg) => arg.value),
      kwargs: kwargs.value as Record<string, unknown>,
      meta: meta.value,
      result: value.value,
      progress: progress.value,
    },
  };
}

/** A payload may be 10 MB: the page gets its beginning. */
function shortened(value: unknown): unknown {
  let left = MOST_VALUES;
  const cut = (one: unknown, depth: number): unknown => {
    left -= 1;
    if (left < 0 || depth > DEEPEST) return '…';
    if (typeof one === 'string') return one.length > LONGEST ? `${one.slice(0, LONGEST)}…` : one;
    if (typeof one === 'bigint') return String(one);
    if (typeof one !== 'object' || one === null) return one;
    if (Array.isArray(one)) {
      const items = one.slice(0, Math.max(0, left)).map((item) => cut(item, depth + 1));
      return items.length < one.length ? [...items, '…'] : items;
    }
    const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const [key, item] of Object.entries(one)) {
      if (left <= 0) {
        copy['…'] = '…';
        break;
      }
      copy[key] = cut(item, depth + 1);
    }
    return copy;
  };
  return cut(value, 0);
}

/** The id of the trace that has enqueued the job (W3C). */
function traceIn(meta: Record<string, unknown>): string | undefined {
  const headers = meta['headers'];
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { traceparent } = headers as { traceparent?: unknown };
  return typeof traceparent === 'string'
    ? /^[\da-f]{2}-([\da-f]{32})-/.exec(traceparent)?.[1]
    : undefined;
}

const MOST_RELATED = 20;
const MOST_VALUES = 5000;
const DEEPEST = 50;
const LONGEST = 20_000;
