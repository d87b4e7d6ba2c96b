import type { Connections } from './connections.js';

/**
 * The way to the server that holds certain keys: `Connections`, where one server holds all; in a cluster the way to
 * whatever node has their slot at the moment of a call.
 */
export interface RedisAccess extends Pick<
  Connections,
  | 'commandTimeout'
  | 'database'
  | 'isOpen'
  | 'layout'
  | 'refused'
  | 'rights'
  | 'run'
  | 'runMessages'
  | 'runRenewal'
  | 'runReplicated'
  | 'watch'
> {
  /**
   * The server that holds the keys now.
   * @throws RqConnectionError when that is not known
   */
  readonly home: Connections;
  /** Hears that another server may hold the keys now. Returns the way to stop listening. */
  onMoved(listener: () => void): () => void;
}
