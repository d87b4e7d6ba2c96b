import { BLANK } from '../dashboard/server/redaction.js';
import { NotOnBoardError } from './refusals.js';

/**
 * The form "Add job" gives options in BullMQ's words, and so does "Duplicate". Those that have a counterpart here are
 * translated; nestjs-rq's own (`retry`, `timeout`, `unique`, ...) go as they are. All others are refused by name.
 * @throws NotOnBoardError
 */
export function newJobOptions(
  queue: string,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { attempts, backoff, delay, lifo, jobId, priority, ...rest } = given;
  const { removeOnComplete, removeOnFail, [FACTS]: _, ...own } = rest;
  const refuse = (option: string, advice: string): never => {
    throw new NotOnBoardError(queue, `It does not know BullMQ's option ${option}: ${advice}`);
  };
  for (const [option, advice] of Object.entries(WITHOUT_COUNTERPART)) {
    if (option in own) refuse(option, advice);
  }
  const options: Record<string, unknown> = { ...own };
  const put = (option: string, ofBullMq: string, value: unknown) => {
    if (option in own) refuse(ofBullMq, `${option} is given, too; give one of them.`);
    options[option] = value;
  };
  // A number is milliseconds to BullMQ; a text such as '5m' is one of ours.
  if (delay !== undefined && delay !== 0) {
    options['delay'] = typeof delay === 'number' ? delay / 1000 : delay;
  }
  if (attempts !== undefined) put('retry', 'attempts', retryOf(attempts, backoff, refuse));
  else if (backoff !== undefined) refuse('backoff', 'without attempts it means nothing.');
  if (lifo !== undefined) put('atFront', 'lifo', lifo);
  if (jobId !== undefined) put('id', 'jobId', jobId);
  if (typeof priority === 'string') options['priority'] = priority;
  else if (priority !== undefined && priority !== 0) {
    refuse('priority', `give 'high', 'normal' or 'low' in place of a number.`);
  }
  if (removeOnComplete !== undefined) {
    put('resultTtl', 'removeOnComplete', keptFor('removeOnComplete', removeOnComplete, refuse));
  }
  if (removeOnFail !== undefined) {
    put('failureTtl', 'removeOnFail', keptFor('removeOnFail', removeOnFail, refuse));
  }
  return options;
}

/**
 * "Duplicate" sends back what the board was shown, in which secrets are blanked: that is no data for a job.
 * @throws NotOnBoardError
 */
export function assertNothingBlanked(queue: string, data: unknown): void {
  if (data !== undefined && JSON.stringify(data).includes(BLANK)) {
    const what = `The data hold ${BLANK}, which stands where a secret was blanked: put the real value there.`;
    throw new NotOnBoardError(queue, what);
  }
}

/** Under this name of its options the board is shown what has no option in BullMQ; nobody can set it there. */
export const FACTS = 'nestjs-rq';

type Refuse = (option: string, advice: string) => never;

function retryOf(attempts: unknown, backoff: unknown, refuse: Refuse): unknown {
  const isCount = typeof attempts === 'number' && Number.isInteger(attempts) && attempts >= 0;
  if (!isCount) return refuse('attempts', 'it must be a whole number.');
  if (attempts <= 1) return false;
  const max = attempts - 1;
  // No backoff: at once. That is what attempts mean in BullMQ.
  if (backoff === undefined) return { max, interval: 0 };
  if (typeof backoff === 'number') return { max, interval: backoff / 1000 };
  const { type, delay, ...other } = backoff as { type?: unknown; delay?: unknown };
  const isKnown =
    (type === 'fixed' || type === 'exponential') &&
    typeof delay === 'number' &&
    Object.keys(other).length === 0;
  if (!isKnown) {
    return refuse('backoff', `it must be { type: 'fixed' | 'exponential', delay }; see retry.`);
  }
  if (type === 'fixed') return { max, interval: delay / 1000 };
  return { max, interval: { type, delay: delay / 1000 } };
}

/** A duration of ours. */
function keptFor(option: string, value: unknown, refuse: Refuse): unknown {
  if (value === true) return 0;
  if (value === false) return 'forever';
  const { age, ...other } = (typeof value === 'object' && value !== null ? value : {}) as {
    age?: unknown;
  };
  if (typeof age === 'number' && Object.keys(other).length === 0) return age;
  return refuse(
    option,
    'jobs are kept for a time here, not by their number: give true or { age }.',
  );
}

const WITHOUT_COUNTERPART: Readonly<Record<string, string>> = {
  parent: 'give dependsOn to the job that waits.',
  deduplication: 'give unique.',
  debounce: 'give unique.',
  sizeLimit: 'maxPayloadBytes of RqModule.forRoot limits all payloads.',
  keepLogs: 'the last 1000 lines are kept.',
  stackTraceLimit: 'the last 10 attempts are kept, with their stacks.',
  timestamp: 'Redis gives the time.',
  telemetry: 'telemetry of RqModule.forRoot traces all jobs.',
  failParentOnFailure: 'give ifFailed to the job that waits.',
  continueParentOnFailure: 'give ifFailed to the job that waits.',
  ignoreDependencyOnFailure: 'give ifFailed to the job that waits.',
  removeDependencyOnFailure: 'give ifFailed to the job that waits.',
};
