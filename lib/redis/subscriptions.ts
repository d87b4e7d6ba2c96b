import type { Redis } from 'ioredis';
import { type Timer, after } from '../time/timer.js';
import type { RedisAccess } from './access.js';

/**
 * Messages from Redis: several listeners share one channel subscription and all channels share one connection. A
 * message may be lost (a cut link, a restart): who listens treats it as a hint and looks by itself now and then.
 */
export class Subscriptions {
  private readonly listeners = new Map<string, Set<MessageListener>>();
  /** The connection over which messages come. */
  private source: Redis | undefined;
  private again: Timer | undefined;

  constructor(private readonly access: RedisAccess) {
    access.onMoved(() => this.subscribeAgain());
  }

  /**
   * Listens to a channel; resolves when Redis has confirmed it. Returns the way to stop.
   * @throws RqConnectionError when Redis does not confirm in time
   */
  async listen(channel: string, listener: MessageListener): Promise<() => void> {
    const existing = this.listeners.get(channel);
    if (existing) {
      existing.add(listener);
    } else {
      this.listeners.set(channel, new Set([listener]));
    }
    const stop = () => this.stop(channel, listener);
    try {
      // Also for a second listener: the first one's subscription may not be confirmed yet.
      await this.subscribe([channel]);
      return stop;
    } catch (error) {
      stop();
      throw error;
    }
  }

  private stop(channel: string, listener: MessageListener): void {
    const listeners = this.listeners.get(channel);
    if (!listeners?.delete(listener) || listeners.size > 0) return;
    this.listeners.delete(channel);
    const { source } = this;
    if (source?.status !== 'ready') return;
    const ended = this.isSharded ? source.sunsubscribe(channel) : source.unsubscribe(channel);
    ended.catch(() => undefined);
  }

  /** From now on messages come over this connection, and over no other. */
  private attach(redis: Redis): void {
    if (redis === this.source) return;
    this.detach();
    this.source = redis;
    redis.on(this.isSharded ? 'smessage' : 'message', this.heard);
    redis.on('ready', this.subscribeAgain);
    // The server has ended a subscription, since it has given the slot away.
    redis.on('moved', this.subscribeAgain);
  }

  private detach(): void {
    const { source } = this;
    this.source = undefined;
    source?.off(this.isSharded ? 'smessage' : 'message', this.heard);
    source?.off('ready', this.subscribeAgain).off('moved', this.subscribeAgain);
    if (source?.status === 'ready' && this.listeners.size > 0) {
      source.sunsubscribe(...this.listeners.keys()).catch(() => undefined);
    }
  }

  private get isSharded(): boolean {
    return this.access.layout === 'cluster';
  }

  private async subscribe(channels: readonly string[]): Promise<void> {
    await this.access.runMessages('listen to messages from Redis', (redis) => {
      this.attach(redis);
      return this.isSharded ? redis.ssubscribe(...channels) : redis.subscribe(...channels);
    });
  }

  private readonly heard = (channel: string, message: string): void => {
    for (const listener of this.listeners.get(channel) ?? []) listener(message);
  };

  /** A new link knows of no subscription. One that is refused is tried again: nobody waits for it to hear of that. */
  private readonly subscribeAgain = (): void => {
    this.again?.cancel();
    const channels = [...this.listeners.keys()];
    if (channels.length === 0) return;
    this.subscribe(channels).catch(() => {
      if (this.access.isOpen)
        this.again = after(AFTER_TROUBLE, () => this.subscribeAgain()).unref();
    });
  };
}

/** Sends a message to those who listen. @throws RqConnectionError */
export async function publish(
  access: RedisAccess,
  action: string,
  channel: string,
  message: string,
): Promise<void> {
  await access.run(action, (redis) =>
    access.layout === 'cluster'
      ? redis.spublish(channel, message)
      : redis.publish(channel, message),
  );
}

/** Milliseconds. */
const AFTER_TROUBLE = 1000;

export type MessageListener = (message: string) => void;
