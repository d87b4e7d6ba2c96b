// A network between a client and Redis that can fail the way networks do. Nothing is closed and nobody is told: bytes
// just stop coming through, so that only a deadline can notice it. What was linked while it failed stays dead for ever.
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

export class TcpProxy {
  /** How many links were ever made. */
  made = 0;
  private readonly links = new Set<Link>();
  private bytesPerSecond = Infinity;
  private latency = 0;
  private isTrickling = false;
  private failure: 'none' | 'silent' | 'answers lost' = 'none';

  private constructor(
    private readonly server: Server,
    private target: { host: string; port: number },
  ) {
    server.on('connection', (socket) => this.link(socket));
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  readonly host = '127.0.0.1';

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  /** New links lead there, as those through a stable address after a failover; those of before stay where they are. */
  pointTo(target: { host: string; port: number }): void {
    this.target = target;
  }

  /** From now on each link lets only so many bytes a second through on their way to Redis. */
  slowDown(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** From now on all bytes are so many milliseconds on their way, in both directions. */
  delay(milliseconds: number): void {
    this.latency = milliseconds;
  }

  /** From now on each byte of an answer comes through by itself. */
  trickle(): void {
    this.isTrickling = true;
  }

  /** From now on nothing comes through, in either direction. New links are accepted, and dead as well. */
  fallSilent(): void {
    this.fail('silent');
  }

  /** From now on commands arrive, and their answers are lost. */
  loseAnswers(): void {
    this.fail('answers lost');
  }

  /** New links work again; those of before stay dead. */
  heal(): void {
    this.failure = 'none';
  }

  async close(): Promise<void> {
    for (const { near, far } of this.links) {
      near.destroy();
      far.destroy();
    }
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(pieces: readonly Buffer[], to: Socket): void {
    for (const piece of pieces) {
      // Timers of one length end in their order.
      if (this.latency > 0) setTimeout(() => to.write(piece), this.latency);
      else to.write(piece);
    }
  }

  private fail(failure: 'silent' | 'answers lost'): void {
    this.failure = failure;
    for (const link of this.links) link.failure = failure;
  }

  private link(near: Socket): void {
    const far = connect(this.target);
    const link: Link = { near, far, failure: this.failure };
    near.setNoDelay(true);
    far.setNoDelay(true);
    this.links.add(link);
    this.made += 1;
    near.on('data', (data) => {
      if (link.failure === 'silent') return;
      this.pass([data], far);
      const pause = (data.length / this.bytesPerSecond) * 1000;
      if (pause < 1) return;
      near.pause();
      setTimeout(() => near.resume(), pause);
    });
    far.on('data', (data) => {
      if (link.failure === 'none') this.pass(this.isTrickling ? bytesOf(data) : [data], near);
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => {
        // The end of a link is one more thing that does not come through.
        if (link.failure === 'none') other.destroy();
      });
    }
  }
}

interface Link {
  readonly near: Socket;
  readonly far: Socket;
  failure: 'none' | 'silent' | 'answers lost';
}

function bytesOf(data: Buffer): Buffer[] {
  return Array.from(data, (byte) => Buffer.of(byte));
}
