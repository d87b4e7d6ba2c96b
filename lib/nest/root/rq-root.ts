import {
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { RqConnectionError, ShortForm, UnusableRedisError, hideFields } from '../../job/index.js';
import { type ClusterConnections, type Connections, openConnections } from '../../redis/index.js';
import type { ProcessFigures } from '../../observe/index.js';
import { type WorkerStore, openStore } from '../../store/index.js';
import { after } from '../../time/timer.js';
import * as lines from '../log-lines.js';
import { closedWhileWaiting } from '../problems.js';
import type { ContainerModule } from '../nest-internals.js';
import { RqLogger } from '../rq-logger.js';
import type { RootOptions } from '../options/read-root-options.js';
import { RunningTraces } from '../handlers/running-traces.js';
import { QueueCatalog } from '../queues/queue-catalog.js';
import type { QueueRegistration } from '../queues/queue-registration.js';
import type { RootOverride } from './root-override.js';
import type { RqWorker } from './rq-worker.js';

/**
 * One Redis of an application: its connections and its queues. They are there from before the first `onModuleInit`
 * until after the last `onApplicationShutdown`, so that other providers may enqueue in their own hooks.
 */
export class RqRoot
  extends ShortForm
  implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown
{
  readonly store: WorkerStore;
  readonly queues: QueueCatalog;
  /** From the start of the application on, if it has a worker. */
  worker: RqWorker | undefined;
  /** The application has started, and what it has of handlers works. */
  isStarted = false;
  /** The application has begun to close. */
  isClosing = false;
  /** For lines of the log that are objects. */
  readonly traces: RunningTraces | undefined;
  private readonly logger = new RqLogger('RqModule');
  private readonly connections: Connections | ClusterConnections;
  /** What stands in for Redis has no replicas. */
  private readonly isStandIn: boolean;
  private connecting = false;
  private closing: Promise<void> | undefined;
  private lostLinks = 0;

  /**
   * @param place where `forRoot` was called, for errors
   * @param home the module that calls `forRoot`, if it can be told
   * @param registrations the queues that the application's modules register here
   * @param override brings another store, if there is one
   * @throws InvalidOptionError
   */
  constructor(
    readonly name: string,
    readonly place: string,
    readonly home: ContainerModule | undefined,
    readonly options: RootOptions,
    registrations: readonly { registration: QueueRegistration; where: string }[],
    override?: RootOverride,
  ) {
    super();
    const {
      connection,
      connectTimeout,
      commandTimeout,
      prefix,
      sharedWithPython,
      maxPayloadBytes,
      layout,
    } = options;
    const connections = openConnections(connection, {
      connectTimeout,
      commandTimeout,
      where: place,
      ...(layout !== undefined && { layout }),
    });
    this.connections = connections;
    this.connections.watch((what) => {
      if (what === 'lost') this.lostLinks += 1;
    });
    const storeOptions = { prefix, sharedWithPython, maxPayloadBytes };
    const hashTagOf = (queue: string) => this.queues.hashTagOf(queue);
    // What stands in for Redis is always one server.
    this.isStandIn = override !== undefined;
    this.store =
      override?.store(name, connections as Connections, storeOptions) ??
      openStore(connections, { ...storeOptions, hashTagOf });
    this.queues = new QueueCatalog(
      this.store,
      options.defaultJobOptions,
      registrations,
      options.context.inject,
      options.telemetry,
      options.durability,
    );
    this.traces = options.log === 'fields' ? new RunningTraces() : undefined;
    hideFields(this, 'name', 'place');
  }

  /** What this process has done, for metrics. */
  figures(): ProcessFigures {
    const done = this.worker?.figures() ?? { counted: [], slots: 0, busy: 0, recovered: 0 };
    return { ...done, enqueued: this.store.figures.enqueued, redisErrors: this.lostLinks };
  }

  /** What JSON and logs show of it. */
  toJSON(): { readonly name: string; readonly place: string } {
    return { name: this.name, place: this.place };
  }

  /** @throws RqConnectionError when Redis is not there, as `onRedisDown` says */
  async onModuleInit(): Promise<void> {
    const { warnings } = this.connections;
    if (warnings.length > 0) this.logger.warn(lines.connectionOverruled(this.name, warnings));
    this.connecting = true;
    try {
      await this.connect();
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      this.connecting = false;
    }
  }

  async onModuleDestroy(): Promise<void> {
    // The application is closed while it waits for Redis: what waits must end, or closing would wait too.
    if (this.connecting) await this.close();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /** Closes all connections; a second call does nothing more. */
  close(): Promise<void> {
    this.closing ??= this.connections.close();
    return this.closing;
  }

  private async connect(): Promise<void> {
    const start = performance.now();
    for (;;) {
      try {
        await this.connections.connect();
        const warnings = await this.store.audit('producer');
        // A worker looks by itself, and tells.
        if (!this.options.worker) {
          for (const warning of warnings) this.logger.warn(lines.problem({ message: warning }));
        }
        break;
      } catch (error) {
        if (this.closing) {
          throw new RqConnectionError({ action: closedWhileWaiting(this.name) });
        }
        if (this.options.onRedisDown === 'fail' || !mayPass(error)) {
          this.logger.error(lines.connectionFailed(this.name, messageOf(error)));
          throw error;
        }
        if (error instanceof UnusableRedisError) {
          await pause(Math.min(this.options.connectTimeout, LONGEST_PAUSE_MS));
        }
        const waited = performance.now() - start;
        this.logger.warn(lines.waitingForRedis(this.name, waited, messageOf(error)));
      }
    }
    const waited = performance.now() - start;
    if (waited > this.options.connectTimeout) {
      this.logger.log(lines.connected(this.name, waited));
    }
    await this.lookAtReplicas();
  }

  /** A number that Redis cannot reach refuses each job: that is said before the first one. */
  private async lookAtReplicas(): Promise<void> {
    const { replicas, queue } = this.queues.mostReplicas();
    if (replicas === 0 || this.isStandIn) return;
    // No right to ask, or Redis has just gone away: there are others to say that.
    const server = await this.store.figures.server().catch(() => undefined);
    const found = server?.replicas ?? replicas;
    if (found < replicas) {
      this.logger.warn(lines.tooFewReplicas(this.name, replicas, found, queue));
    }
  }
}

/** Between two looks at a Redis that answers and cannot be used. */
const LONGEST_PAUSE_MS = 2000;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => after(milliseconds, resolve));
}

/** What waiting may help against. */
function mayPass(error: unknown): boolean {
  if (error instanceof UnusableRedisError) return error.mayPass;
  return error instanceof RqConnectionError;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
