/**
 * Which names may be given to queues, jobs and job ids. The names become parts of Redis keys and of RQ's
 * comma-joined lists, so those that would collide there, or that make a Python worker quit, are refused when they
 * are given and not when they hurt.
 */
import { InvalidOptionError } from './errors.js';

/**
 * A queue name: 1 to 200 characters, no comma (RQ joins names with it), no control characters, no spaces around it,
 * not ending in `:intermediate` (that is another queue's hand-over list), `!high` or `!low` (another one's levels).
 * @throws InvalidOptionError (option `queue`)
 */
export function assertQueueName(name: unknown, where?: string): asserts name is string {
  const problem =
    lengthProblem(name, 200) ??
    (UNPRINTABLE.test(name as string)
      ? 'must not contain control characters'
      : (name as string).includes(',')
        ? 'must not contain a comma (RQ separates queue names with it)'
        : (name as string).trim() !== name
          ? 'must not begin or end with a space'
          : (name as string).endsWith(':intermediate')
            ? "must not end in ':intermediate' (RQ keeps jobs on their way to a worker under that name)"
            : /!(high|low)$/.test(name as string)
              ? "must not end in '!high' or '!low' (there a queue keeps its jobs of that priority: enqueue with priority)"
              : undefined);
  refuse('queue', problem, name, where);
}

/**
 * A job id: letters, digits, `_` and `-`, 1 to 200 of them. Python's workers (RQ >= 2.8) quit at any other.
 * @param option the key that holds it
 * @throws InvalidOptionError (option `id`)
 */
export function assertJobId(id: unknown, where?: string, option = 'id'): asserts id is string {
  const fits = typeof id === 'string' && JOB_ID.test(id);
  refuse(
    option,
    fits ? undefined : "must be 1 to 200 letters, digits, '_' or '-' (RQ accepts no other job ids)",
    id,
    where,
  );
}

/**
 * A job name: the name of a handler, or a dotted Python function: 1 to 500 characters, no control characters.
 * @throws InvalidOptionError (option `name`)
 */
export function assertJobName(name: unknown, where?: string): asserts name is string {
  const problem =
    lengthProblem(name, 500) ??
    (UNPRINTABLE.test(name as string) ? 'must not contain control characters' : undefined);
  refuse('name', problem, name, where);
}

/**
 * The name of a group of jobs: 1 to 200 characters, no control characters, no spaces around it.
 * @param option the key that holds it
 * @throws InvalidOptionError
 */
export function assertGroupName(
  name: unknown,
  option: string,
  where?: string,
): asserts name is string {
  const problem =
    lengthProblem(name, 200) ??
    (UNPRINTABLE.test(name as string)
      ? 'must not contain control characters'
      : (name as string).trim() !== name
        ? 'must not begin or end with a space'
        : undefined);
  refuse(option, problem, name, where);
}

const JOB_ID = /^[A-Za-z0-9_-]{1,200}$/;

// Lone surrogates too: written as UTF-8 they all become the same character.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

function lengthProblem(name: unknown, longest: number): string | undefined {
  return typeof name === 'string' && name.length >= 1 && name.length <= longest
    ? undefined
    : `must be text of 1 to ${longest} characters`;
}

function refuse(
  option: string,
  problem: string | undefined,
  value: unknown,
  where: string | undefined,
): void {
  if (problem !== undefined) {
    throw new InvalidOptionError({ option, problem, value, where });
  }
}
