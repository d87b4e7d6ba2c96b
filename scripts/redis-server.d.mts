// The types of redis-server.mjs, for the tests, which are written in TypeScript.

export interface StartRedisOptions {
  /** Keeps an append-only file, so that the data survives `kill()` and `restart()`. */
  appendonly?: boolean;
  /** Further arguments of redis-server: `['--maxmemory', '10mb']`. */
  args?: string[];
  /** The data folder; by default a new one, removed by `stop()`. */
  dir?: string;
  /** The text of a settings file: Sentinels have one, and write into it. */
  config?: string;
  /** The name of a fetched server ('valkey-9.1'); by default that of NESTJS_RQ_TEST_SERVER, or the system's own. */
  server?: string;
}

export interface RunningRedis {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Of the running process: another one after `restart()`. */
  readonly pid: number;
  /** Ends the server and removes its data. May be called more than once. */
  stop(): Promise<void>;
  /** SIGKILL: the server has no chance to say goodbye. `restart()` brings it back. */
  kill(): Promise<void>;
  /** Starts the server again on the same port and folder, after ending it orderly if it runs. */
  restart(): Promise<void>;
}

export interface FetchedServer {
  /** 'valkey-9.1' */
  readonly name: string;
  readonly version: string;
  readonly command: string;
}

export const FETCHED_SERVERS: string;
export function fetchedServers(): FetchedServer[];
export function versionOf(command: string): string | undefined;
export function findRedisServer(): { command: string; version: string } | undefined;
export function isAtLeast(version: string, minimum: string): boolean;
export function freePort(): Promise<number>;
export function startRedisServer(options?: StartRedisOptions): Promise<RunningRedis>;
