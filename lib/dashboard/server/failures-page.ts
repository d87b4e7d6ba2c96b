import type { FailureGroup, Failures } from '../../observe/index.js';
import { cleanLine } from '../../observe/index.js';
import type { FailureAnswer, FailuresAnswer } from './answers.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import { jobRow, time } from './job-answers.js';
import { visibleQueues } from './visible-queues.js';

/** Failed jobs by their cause, of one queue or of all that may be seen. */
export async function failures(call: Call, context: Context): Promise<FailuresAnswer> {
  const { query, viewer } = call;
  const { inspector } = context;
  const queue = query.text('queue');
  const name = query.text('name');
  const gone = new AbortController();
  call.response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(LOOK_MS)]);
  const names = queue === undefined ? await visibleQueues(inspector, viewer) : [queue];
  const found: Failures[] = [];
  let left = query.number('budget', { least: 100, most: 200_000, otherwise: 10_000 });
  for (const one of names) {
    if (left <= 0 || signal.aborted) break;
    const options = { queue: one, budget: left, signal, ...(name === undefined ? {} : { name }) };
    const of = await inspector.failures(options);
    left -= of.looked;
    found.push(of);
  }
  const groups = found.flatMap((one) => one.groups);
  const answers = await Promise.all(
    groups.map(async (group) => {
      const seesData = await viewer.may('view:data', group.queue);
      return failureAnswer(group, context, seesData);
    }),
  );
  return {
    groups: answers.toSorted((one, other) => other.count - one.count),
    looked: found.reduce((sum, { looked }) => sum + looked, 0),
    total: found.reduce((sum, { total }) => sum + total, 0),
    complete: found.length === names.length && found.every(({ isComplete }) => isComplete),
    may: await viewer.all(queue),
  };
}

function failureAnswer(
  group: FailureGroup,
  { settings: { redaction } }: Context,
  seesData: boolean,
): FailureAnswer {
  return {
    cause: group.cause,
    queue: group.queue,
    name: group.name === undefined ? null : cleanLine(group.name, 200),
    error: cleanLine(group.error, 200),
    message: seesData ? redaction.text(cleanLine(group.message)) : '',
    count: group.count,
    first: time(group.first),
    last: time(group.last),
    python: /^[a-z_]\w*(\.\w+)+$/.test(group.error) && group.name?.includes('.') === true,
    sample: jobRow(group.sample, redaction, seesData),
    trend: [...group.lastDay],
  };
}

const LOOK_MS = 3000;
