import * as net from 'node:net';
import * as tls from 'node:tls';
import { type Timer, after } from '../time/timer.js';

/**
 * A connection that can do one thing: run a script again and again. The lease guard's thread uses it. It has nothing but
 * Node to work with, since in a bundled application there is no client of Redis that a thread could import.
 *
 * It speaks just as much of Redis's protocol as that needs: every answer is one line.
 */
export class RenewalLink {
  private readonly socket: net.Socket;
  private readonly answers: ((line: string) => void)[] = [];
  /** What waits until the connection (with TLS: the proved one) is there; then undefined. */
  private unsent: string | undefined = '';
  private received = '';
  private error: Error | undefined;
  private fail: (error: Error) => void = () => undefined;

  /** @throws when there is no way to connect, by the address or by its options of TLS */
  constructor(address: RenewalAddress, login: RenewalLogin) {
    const { tls: secure, ...place } = address;
    if (!place.port && !place.path) throw new Error('the address of the server is not known yet');
    this.socket = secure
      ? tls.connect({ ...place, ...secure })
      : net.connect(place as net.NetConnectOpts);
    this.socket.setNoDelay(true).setEncoding('utf8');
    this.socket.once(secure ? 'secureConnect' : 'connect', () => this.opened());
    this.socket.on('data', (text: string) => this.read(text));
    this.socket.on('error', (error) => this.end(error));
    this.socket.on('close', () => this.end(new Error('the connection was lost')));
    const { auth, db, name } = login;
    if (auth) this.send(['AUTH', ...auth], (refusal) => !AUTH_NOT_NEEDED.test(refusal));
    if (db) this.send(['SELECT', String(db)], () => true);
    this.send(['CLIENT', 'SETNAME', name], () => false);
  }

  /**
   * Runs a script that answers with a number. After a failure the link cannot be used any more.
   * @param timeout milliseconds
   */
  async run(script: RenewalScript, timeout: number): Promise<void> {
    let timer: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.error) throw this.error;
        this.fail = reject;
        timer = after(timeout, () => this.end(new Error('Redis gives no answer')));
        const { text, keys = [], values } = script;
        const words = ['EVAL', text, String(keys.length), ...keys, ...values];
        this.send(words, () => true, resolve);
      });
    } finally {
      timer?.cancel();
    }
  }

  /** Ends it at once; what is under way fails with this error. */
  end(error = new Error('the connection is closed')): void {
    this.error ??= error;
    this.fail(this.error);
    this.socket.destroy();
  }

  private send(
    words: readonly string[],
    isFatal: (refusal: string) => boolean,
    done: () => void = () => undefined,
  ): void {
    this.answers.push((line) => {
      const refusal = line.startsWith('-') ? line.slice(1) : '';
      if (refusal !== '' && isFatal(refusal)) this.end(new Error(withoutCommand(refusal)));
      else done();
    });
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    const command = `*${words.length}\r\n${parts.join('')}`;
    if (this.unsent === undefined) this.socket.write(command);
    else this.unsent += command;
  }

  private opened(): void {
    this.socket.write(this.unsent ?? '');
    this.unsent = undefined;
  }

  private read(text: string): void {
    const lines = (this.received + text).split('\r\n');
    this.received = lines.pop() ?? '';
    for (const line of lines) this.answers.shift()?.(line);
    if (this.received.length > LONGEST_LINE) this.end(new Error('this is no answer of Redis'));
  }
}

/** Where it connects; plain data. */
export interface RenewalAddress {
  readonly host?: string;
  readonly port?: number;
  readonly family?: number;
  /** A Unix socket, in place of the above. */
  readonly path?: string;
  /** Given: only by TLS, with these options. */
  readonly tls?: tls.ConnectionOptions;
}

export interface RenewalLogin {
  /** Password, or user and password. */
  readonly auth?: readonly string[];
  readonly db?: number;
  /** For `CLIENT LIST`. */
  readonly name: string;
}

export interface RenewalScript {
  readonly text: string;
  /** Default none; a cluster has to know where it is to run. */
  readonly keys?: readonly string[];
  readonly values: readonly string[];
}

/** The server has no password: whoever gives one is let in by ioredis, too. */
const AUTH_NOT_NEEDED = /no password is set|without any password configured/;

const LONGEST_LINE = 100_000;

/** Redis repeats what it did not understand. */
function withoutCommand(refusal: string): string {
  return refusal.replace(/,? with args beginning with:.*$/, '');
}
