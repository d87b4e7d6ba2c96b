/**
 * Every name of a key or channel in Redis, in one place. The names are RQ's, so that Python RQ, `rq info` and
 * dashboards find what they look for; what RQ does not know is ours and begins with `nrq:` after the prefix.
 */
export class Keyspace {
  /** Set of the full keys of all queues. */
  readonly queues: string;
  /** Set of the full keys of all workers. */
  readonly workers: string;
  /** RQ's suspension mark: no worker takes a job while it exists. */
  readonly suspended: string;
  /** Schedules made at run time, by when they are due (milliseconds since the epoch; `+inf`: paused). */
  readonly schedules: string;
  /** The same of those in code, which only processes with that code fire. */
  readonly codeSchedules: string;
  /** Exists while somebody has lately tidied up the schedules and told RQ of them. */
  readonly schedulesTidied: string;
  /** Exists while somebody looks at live figures: workers show theirs every two seconds then. */
  readonly viewed: string;
  /** Stream of what operators have done. */
  readonly audit: string;
  /** Ids of what is or was being done to many jobs, by when it began (milliseconds since the epoch). */
  readonly operations: string;
  /** Hash: what is known of each alert. */
  readonly alerts: string;
  /** Hash: failures for good of critical jobs, by queue and job: how many, the first, the last. */
  readonly criticalFailures: string;
  /** Held by the process that looks whether there is something to alert people to. */
  readonly alertsLock: string;
  /** Names of the groups that workers look after. */
  readonly groups: string;
  /** Channel on which changes of schedules are told. */
  readonly scheduleChanges: string;
  /** RQ's list of processes that enqueue cron jobs: name -> last sign of life. */
  readonly cronSchedulers: string;
  /** RQ's list of cron jobs: name -> when the last job was enqueued. */
  readonly cronJobs: string;
  readonly jobPrefix: string;
  readonly resultsPrefix: string;
  /** How the names of our channels begin: channels, unlike keys, are shared by all databases of a Redis. */
  readonly channels: string;
  /** In the cluster layout: hash of the hash tag of each queue, outside of all tags. */
  readonly hashTags: string;

  readonly #queueKeys = new Map<string, QueueKeys>();

  /**
   * @param prefix default `rq:`; any other gives up sharing with Python RQ, whose prefix is fixed
   * @param database number of the database; the names of database 0 are those of earlier versions
   */
  constructor(
    readonly prefix = 'rq:',
    readonly database = 0,
  ) {
    this.queues = `${prefix}queues`;
    this.workers = `${prefix}workers`;
    this.suspended = `${prefix}suspended`;
    this.jobPrefix = `${prefix}job:`;
    this.resultsPrefix = `${prefix}results:`;
    this.schedules = `${prefix}nrq:schedules`;
    this.codeSchedules = `${this.schedules}:code`;
    this.schedulesTidied = `${this.schedules}:tidied`;
    this.viewed = `${prefix}nrq:viewed`;
    this.audit = `${prefix}nrq:audit`;
    this.operations = `${prefix}nrq:ops`;
    this.alerts = `${prefix}nrq:alerts`;
    this.criticalFailures = `${this.alerts}:critical`;
    this.alertsLock = `${this.alerts}:lock`;
    this.cronSchedulers = `${prefix}cron_schedulers`;
    this.cronJobs = `${prefix}cron_jobs`;
    this.hashTags = `${prefix}nrq:hash-tags`;
    this.groups = `${prefix}nrq:groups`;
    this.channels = database === 0 ? `${prefix}nrq:` : `${prefix}nrq@${database}:`;
    this.scheduleChanges = `${this.channels}schedules`;
  }

  /**
   * The names of the cluster layout: the same ones behind another prefix. All that have a hash tag in common are in one
   * slot, on one node, so that a script may touch them. By default a queue's tag is its name.
   */
  ofTag(tag: string): Keyspace {
    return new Keyspace(`${this.prefix}{${tag}}:`, this.database);
  }

  /** The keys of one queue; made once per name. */
  queue(name: string): QueueKeys {
    let keys = this.#queueKeys.get(name);
    if (!keys) {
      keys = new QueueKeys(this.prefix, this.channels, name);
      this.#queueKeys.set(name, keys);
    }
    return keys;
  }

  /** The name of a queue whose full key is given, as `rq:queues` holds it. */
  queueName(key: string): string {
    return key.slice(`${this.prefix}queue:`.length);
  }

  job(id: string): string {
    return this.jobPrefix + id;
  }

  results(id: string): string {
    return this.resultsPrefix + id;
  }

  /** The lines that a job's handler has logged. */
  log(id: string): string {
    return `${this.prefix}nrq:log:${id}`;
  }

  /** Exists once somebody has taken it upon himself to tell people that an alert has begun, or is over. */
  alertTold(telling: string): string {
    return `${this.alerts}:told:${telling}`;
  }

  dependents(id: string): string {
    return `${this.jobPrefix}${id}:dependents`;
  }

  /** Two colons: RQ's own spelling. */
  dependencies(id: string): string {
    return `${this.jobPrefix}:${id}:dependencies`;
  }

  /** Hash of one schedule. */
  schedule(id: string): string {
    return `${this.prefix}nrq:schedule:${id}`;
  }

  /** Hash of an operation on many jobs, which all viewers see. */
  operation(id: string): string {
    return `${this.prefix}nrq:op:${id}`;
  }

  /** RQ's record of a process that enqueues cron jobs: ours is one for all of them. */
  cronScheduler(name: string): string {
    return `${this.prefix}cron_scheduler:${name}`;
  }

  /** Ids of the jobs that a schedule has made, by when they were enqueued; RQ's history of a cron job. */
  cronHistory(id: string): string {
    return `${this.prefix}cron_job:${id}:jobs`;
  }

  /** RQ's set of the ids of a group's jobs. */
  group(name: string): string {
    return `${this.prefix}group:${name}`;
  }

  /** Ids of the jobs of a group that have not ended. */
  groupPending(name: string): string {
    return `${this.prefix}nrq:group-pending:${name}`;
  }

  /** Channel on which is told that all jobs of a group are over. */
  groupOver(name: string): string {
    return `${this.channels}group:${name}`;
  }

  /** Notes of a worker's calls with outcomes; the token begins the names of its executions. */
  calls(queue: string, token: string): string {
    return `${this.prefix}nrq:calls:${queue}:${token}`;
  }

  worker(name: string): string {
    return `${this.prefix}worker:${name}`;
  }

  workersOf(queue: string): string {
    return `${this.workers}:${queue}`;
  }

  /** Channel of our own commands to one worker. */
  commands(worker: string): string {
    return `${this.channels}commands:${worker}`;
  }

  /** Channel of RQ's commands to one worker: one for all databases, so that workers' names must differ. */
  sharedCommands(worker: string): string {
    return `${this.prefix}pubsub:${worker}`;
  }
}

/** The keys and channels of one queue. */
export class QueueKeys {
  readonly list: string;
  /** Of the jobs of the high level; Python sees it as a queue of its own. */
  readonly high: string;
  /** Of those of the low level. */
  readonly low: string;
  /** Ids between a blocking pop and the claim. */
  readonly intermediate: string;
  readonly started: string;
  readonly finished: string;
  readonly failed: string;
  readonly deferred: string;
  readonly scheduled: string;
  readonly canceled: string;
  /** Held by whoever moves the queue's due jobs, in RQ one scheduler of all. */
  readonly schedulerLock: string;
  /** Hash; exists only while anything about the queue is out of the ordinary, such as limits: for most it never does. */
  readonly flags: string;
  /** Gates in which jobs wait, by when the next may start (microseconds; `+inf`: not before a slot is free). */
  readonly gates: string;
  /** Limits of single keys that were set at run time, and keys that rest. */
  readonly keyLimits: string;
  /** Workers that wait for work, with the gates of which they take no more. */
  readonly asleep: string;
  /** Lanes that are full, and how many jobs each may hold, where somebody waits for room. */
  readonly full: string;
  /** Until when a worker has been told to look whether a gate has opened. */
  readonly timer: string;
  /** Exists while the queue is paused. */
  readonly paused: string;
  /** Set of the ids whose settlement somebody waits for. */
  readonly watched: string;
  /** Executions that somebody asked to stop. */
  readonly stops: string;
  /** When ids of the intermediate list were first seen there. */
  readonly popped: string;
  /** Due ids whose jobs may still come, with the moment at which they were due. */
  readonly late: string;
  /** Lengths of the leases in use, with the moment at which somebody with such leases was here last. */
  readonly alive: string;
  /** Exists while leases that have ended are left alone. */
  readonly grace: string;
  /** What is left over of the children of jobs that are over. */
  readonly ended: string;
  /** The same, of those that could not be told: the sweep tries again. */
  readonly untold: string;
  /** Exists for a while after a job was stored that waits for one of this queue. */
  readonly hung: string;
  /** Exists for ten seconds after a worker has taken its turn to sweep. */
  readonly swept: string;
  /** How far the sweep has come. */
  readonly sweeps: string;
  /** Which job holds a key of unique jobs. */
  readonly unique: string;
  /** Ids of jobs that wait for a retry, by when it is due; those that are due are none of them any more. */
  readonly retrying: string;
  /** Written so that replicas are asked for what was there already. */
  readonly replicated: string;
  /** How the names of the buckets begin in which workers count what becomes of jobs; stretch and number follow. */
  readonly stats: string;
  /** How the names of the lists begin of what an operation has deleted and can be had back; the operation's follows. */
  readonly deleted: string;
  /** Channel on which idle workers hear of earlier due jobs and of resumed queues. */
  readonly wake: string;
  /** Channel on which settlements that somebody waits for are announced. */
  readonly settled: string;
  /** Channel on which events are told while somebody listens. */
  readonly events: string;

  constructor(
    prefix: string,
    channels: string,
    readonly name: string,
  ) {
    this.list = `${prefix}queue:${name}`;
    this.high = `${this.list}!high`;
    this.low = `${this.list}!low`;
    this.intermediate = `${this.list}:intermediate`;
    this.started = `${prefix}wip:${name}`;
    this.finished = `${prefix}finished:${name}`;
    this.failed = `${prefix}failed:${name}`;
    this.deferred = `${prefix}deferred:${name}`;
    this.scheduled = `${prefix}scheduled:${name}`;
    this.canceled = `${prefix}canceled:${name}`;
    this.schedulerLock = `${prefix}scheduler-lock:${name}`;
    this.flags = `${prefix}nrq:flags:${name}`;
    this.gates = `${prefix}nrq:gates:${name}`;
    this.keyLimits = `${prefix}nrq:key-limits:${name}`;
    this.asleep = `${prefix}nrq:asleep:${name}`;
    this.full = `${prefix}nrq:full:${name}`;
    this.timer = `${prefix}nrq:timer:${name}`;
    this.paused = `${prefix}nrq:paused:${name}`;
    this.watched = `${prefix}nrq:waiting:${name}`;
    this.stops = `${prefix}nrq:stops:${name}`;
    this.popped = `${prefix}nrq:popped:${name}`;
    this.late = `${prefix}nrq:late:${name}`;
    this.alive = `${prefix}nrq:alive:${name}`;
    this.grace = `${prefix}nrq:grace:${name}`;
    this.ended = `${prefix}nrq:ended:${name}`;
    this.untold = `${prefix}nrq:untold:${name}`;
    this.hung = `${prefix}nrq:hung:${name}`;
    this.swept = `${prefix}nrq:swept:${name}`;
    this.sweeps = `${prefix}nrq:sweeps:${name}`;
    this.unique = `${prefix}nrq:unique:${name}`;
    this.retrying = `${prefix}nrq:retrying:${name}`;
    this.replicated = `${prefix}nrq:replicated:${name}`;
    this.stats = `${prefix}nrq:stats:${name}:`;
    this.deleted = `${prefix}nrq:deleted:${name}:`;
    this.wake = `${channels}wake:${name}`;
    this.settled = `${channels}settled:${name}`;
    this.events = `${channels}events:${name}`;
  }
}

/**
 * A key that never exists, with the hash tag of another key; every script of the cluster layout names it. While its slot is
 * on the way to another node, a key that is missing here may be there: Redis then refuses the whole call, before its
 * first step, as it would refuse or miss a part of it.
 */
export function neverThere(key: string): string {
  return `${key.slice(0, key.indexOf('}:') + 2)}nrq:never`;
}

/** Id and execution of a member of the started registry; old versions of RQ enter the id alone. */
export function splitMember(member: string): [id: string, execution: string] {
  const colon = member.lastIndexOf(':');
  return colon < 0 ? [member, ''] : [member.slice(0, colon), member.slice(colon + 1)];
}
