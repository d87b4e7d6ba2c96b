import { type Timer, after } from '../time/timer.js';
import type { Connections } from './connections.js';

/**
 * Messages from Redis: several listeners share one channel subscription and all channels share one connection. A
 * message may be lost (a cut link, a restart): who listens treats it as a hint and looks by itself now and then.
 */
export class Subscriptions {
  private readonly listeners = new Map<string, Set<MessageListener>>();
  private attached = false;
  private again: Timer | undefined;

  constructor(private readonly connections: Connections) {}

  /**
   * Listens to a channel; resolves when Redis has confirmed it. Returns the way to stop.
   * @throws RqConnectionError when Redis does not confirm in time
   */
  async listen(channel: string, listener: MessageListener): Promise<() => void> {
    const existing = this.listeners.get(channel);
    if (existing) {
      existing.add(listener);
    } else {
      this.attach();
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
    const { redis } = this.connections.messages();
    if (redis.status === 'ready') redis.unsubscribe(channel).catch(() => undefined);
  }

  private attach(): void {
    if (this.attached) return;
    this.attached = true;
    const { redis } = this.connections.messages();
    redis.on('message', (channel: string, message: string) => {
      for (const listener of this.listeners.get(channel) ?? []) listener(message);
    });
    let isFirst = true;
    redis.on('ready', () => {
      if (!isFirst) this.subscribeAgain();
      isFirst = false;
    });
  }

  private async subscribe(channels: readonly string[]): Promise<void> {
    const link = this.connections.messages();
    await link.run('listen to messages from Redis', (redis) => redis.subscribe(...channels));
  }

  /** A new link knows of no subscription. One that is refused is tried again: nobody waits for it to hear of that. */
  private subscribeAgain(): void {
    this.again?.cancel();
    const channels = [...this.listeners.keys()];
    if (channels.length === 0) return;
    this.subscribe(channels).catch(() => {
      const isOpen = this.connections.messages().redis.status !== 'end';
      if (isOpen) this.again = after(AFTER_TROUBLE, () => this.subscribeAgain()).unref();
    });
  }
}

/** Milliseconds. */
const AFTER_TROUBLE = 1000;

export type MessageListener = (message: string) => void;
