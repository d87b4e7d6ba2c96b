import type { JobRunner } from '../run/job-runner.js';

/**
 * RQ's commands to a worker, as they come over Redis. They are `stop-job` and `shutdown`, from Python or from here, and
 * our own `cancel-job` and `wake`. Anybody can publish anything there; what is not understood is ignored.
 */
export type WorkerCommand =
  | { readonly type: 'stop-job' | 'cancel-job'; readonly jobId: string }
  | { readonly type: 'wake'; readonly queue: string }
  | { readonly type: 'shutdown' };

/** Does what a message says, if it is a command: ends the runs of a job, has a queue looked at, or the worker shut down. */
export function obeyCommand(
  message: string,
  runners: readonly Pick<JobRunner, 'stop' | 'cancel'>[],
  shutDown: () => void,
  wake: (queue: string) => void = () => undefined,
): void {
  const command = parseCommand(message);
  if (command?.type === 'shutdown') shutDown();
  if (command?.type === 'wake') wake(command.queue);
  if (command?.type === 'stop-job') for (const runner of runners) runner.stop(command.jobId);
  if (command?.type === 'cancel-job') for (const runner of runners) runner.cancel(command.jobId);
}

/** The command that a message holds; undefined when it holds none. */
export function parseCommand(message: string): WorkerCommand | undefined {
  let payload: unknown;
  try {
    payload = JSON.parse(message);
  } catch {
    return undefined;
  }
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { command, job_id: jobId, queue } = payload as Record<string, unknown>;
  if (command === 'shutdown') return { type: 'shutdown' };
  if (command === 'wake' && typeof queue === 'string') return { type: 'wake', queue };
  if ((command === 'stop-job' || command === 'cancel-job') && typeof jobId === 'string') {
    return { type: command, jobId };
  }
  return undefined;
}
