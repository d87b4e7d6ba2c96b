import type { Socket } from 'node:net';
import type { RedisOptions } from 'ioredis';
import * as troubles from './troubles.js';
import type { RenewalAddress, RenewalLogin } from './renewal-link.js';

/**
 * How another thread connects to the same Redis. Only plain data can be handed to a thread; what cannot (functions, a TLS
 * context) must not be left out either, since the thread would then connect less safely than the application does.
 */
export function forThread(options: RedisOptions): ThreadConnection {
  // It tells a client when to look for Sentinels again; the thread's is there for moments only.
  const { sentinelReconnectStrategy: _, ...rest } = options;
  const unfit = Object.entries(rest).flatMap(([key, value]) => unfitParts(key, value));
  if (unfit.length === 0) return { options: rest };
  return { problem: troubles.notForThreads(unfit) };
}

export type ThreadConnection =
  { readonly options: Readonly<RedisOptions> } | { readonly problem: string };

/**
 * Where the thread connects: as the application does, by an address that may lead elsewhere after a failover; with
 * Sentinels, to the server that they have named.
 */
export function renewalAddress(
  options: RedisOptions,
  server: ServerAddress | undefined,
): RenewalAddress {
  const { host = 'localhost', port = 6379, family, path, tls } = options;
  if (options.sentinels) {
    return options.enableTLSForSentinelMode && tls ? { ...server, tls } : { ...server };
  }
  const place = path ? { path } : family === undefined ? { host, port } : { host, port, family };
  return tls ? { ...place, tls } : place;
}

/** Who the thread is. */
export function renewalLogin({
  username,
  password,
  db,
  connectionName,
}: RedisOptions): RenewalLogin {
  const auth = username ? [username, password ?? ''] : password ? [password] : undefined;
  return { auth, db, name: `${connectionName ?? 'nestjs-rq'}:lease-guard` };
}

/** The server at the other end of a socket, under the name by which it was found: certificates are about names. */
export function serverAddress(socket: Socket): ServerAddress | undefined {
  const { _host, remoteAddress, remotePort } = socket as Socket & { readonly _host?: unknown };
  const host = typeof _host === 'string' ? _host : remoteAddress;
  return host !== undefined && remotePort !== undefined ? { host, port: remotePort } : undefined;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** The paths of all that is not plain data. */
function unfitParts(path: string, value: unknown): string[] {
  if (typeof value === 'function' || typeof value === 'symbol') return [path];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === null || isObjectPrototype(prototype);
  if (!isPlain) return [path];
  return Object.entries(value).flatMap(([key, part]) => unfitParts(`${path}.${key}`, part));
}

/** Also that of another realm, as test runners have them. */
function isObjectPrototype(prototype: unknown): boolean {
  return (
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'toString')
  );
}
