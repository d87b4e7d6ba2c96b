import { ofRoot } from './log-lines.js';

/** How errors of the Nest layer word a problem: what is wrong with an option, and what to do about it. */

export const needsOneSource =
  'must be given, or useClass, or useExisting: exactly one of the three';

export const queueMissing =
  "is missing: give it here (@Job({ queue: 'images' })), or for all methods of the class by @JobsOf('images')";

export const scheduleWithoutJob =
  'is missing: @Schedule stands beside @Job, which says on which queue the job is';

export const scheduleDataImpossible = (why: string) => `cannot be stored: ${why}`;

export const scheduleTwice = (id: string, elsewhere: string) =>
  `"${id}" is the id of the schedule on ${elsewhere}, too: give one of them another id`;

export const differentOptions = (queue: string, elsewhere: string) =>
  `of queue "${queue}" differ from those in ${elsewhere}: give them once, or the same in both`;

export const noSuchRoot = (root: string, known: readonly string[]) => {
  const call =
    root === 'default' ? 'RqModule.forRoot(...)' : `RqModule.forRoot({ name: "${root}", ... })`;
  const others = known.length > 0 ? ` There is: ${known.join(', ')}` : '';
  return `needs ${call}, which no module of this application imports.${others}`;
};

export const noWorker = (root: string, isOff: boolean) =>
  isOff
    ? `is false${ofRoot(root)}: this application enqueues only`
    : `is not there${ofRoot(root)}: it starts when the application has started, if there is a method with @Job`;

export const rootTwice = (root: string) =>
  root === 'default'
    ? 'is missing: RqModule.forRoot is imported twice without one. Name the second Redis, or import it once'
    : `"${root}" is taken: RqModule.forRoot is imported twice with it. Give each Redis its own name`;

export const closedWhileWaiting = (root: string) =>
  `connect to Redis${ofRoot(root)} before the application was closed`;

export const queueWithoutHandler = (queue: string, known: readonly string[]) =>
  `names queue "${queue}", but no @Job method handles its jobs. Queues with handlers: ${
    known.join(', ') || 'none'
  }`;

export const markedController =
  'stands on a controller, whose methods answer requests: move the method to a provider';

export const enhancerPerJob = (name: string) =>
  `names ${name}, which is made for each request: put it on the handlers (@UseGuards and so on), or leave its request out`;

export const enhancerNotMade = (name: string, error: unknown) =>
  `names ${name}, which could not be made: ${error instanceof Error ? error.message : String(error)}`;

export const enhancersOutOfReach =
  'cannot be applied with this version of Nest: put them on the handlers (@UseGuards and so on)';

export const runNotCalled =
  'context.extract did not call run(), so that the job could not run: call it, and return what it returns';

export const schemaAsPipe =
  'is a schema and no pipe: write { schema: ... } to have it validated by a pipe';

export const batchParameter = (index: number) =>
  `hands lists to the method, and its parameter ${index} is decorated: @JobData() without a property may stand on the ` +
  'first one, the list of the data, and @CurrentJob() on the second, the list of the jobs; nothing else';

export const batchProgress =
  'cannot be told of a batch: it is of one job (jobs[0].progress(value) tells it in the method)';

export const groupWithoutQueue = (name: string) =>
  `"${name}" belongs to a queue in the cluster layout, and to those with the same hashTag: use queue.group(name)`;
