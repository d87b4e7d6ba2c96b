// A network that understands what goes through it, so that a fault hits one command of all: before Redis has got it,
// or when Redis has carried it out and the answer is on its way. Scripts are known by their names.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import * as compiled from '../../lib/store/scripts/compiled.js';
import { type Deferred, deferred } from '../support/wait.js';

/** A command on its way, as `blmove`, `client|setname`, or by its script `exchange`. */
export interface Command {
  readonly name: string;
  readonly words: readonly string[];
  /** The link that it goes over, as `CLIENT LIST` names it; empty until the client has said so. */
  readonly link: string;
}

export type Moment = 'before it arrives' | 'before its answer arrives';

type Matches = (command: Command) => boolean;

/** A command is held, until `cut` ends its link. */
export interface Caught {
  readonly command: Command;
  /** Ends the link: nothing of it comes through any more. */
  readonly cut: () => void;
}

export class CommandProxy {
  private traps: Trap[] = [];
  private readonly passing = new Map<Matches, Deferred<void>>();
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (socket) => this.link(socket));
  }

  static async start(target: { host: string; port: number }): Promise<CommandProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CommandProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Waits for the next such command, and holds it. One trap catches one command. */
  hold(moment: Moment, matches: Matches): Promise<Caught> {
    const caught = deferred<Caught>();
    this.traps.push({ moment, matches, caught });
    return caught.promise;
  }

  /** Waits for the next such command, and lets it pass. */
  async pass(matches: Matches): Promise<void> {
    const passed = deferred();
    this.passing.set(matches, passed);
    await passed.promise;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private link(near: Socket): void {
    const far = connect(this.target);
    const reader = new CommandReader();
    let name = '';
    let isHeld = false;
    let onAnswer: (() => void) | undefined;
    let answers = Buffer.alloc(0);
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    near.on('data', (data) => {
      for (const { words, bytes } of isHeld ? [] : reader.read(data)) {
        name = linkName(words) ?? name;
        const command = { name: nameOf(words), words, link: name };
        for (const [passes, passed] of this.passing) {
          if (passes(command)) passed.resolve();
        }
        const trap = this.traps.find(({ matches }) => matches(command));
        if (!trap) {
          far.write(bytes);
          continue;
        }
        this.traps = this.traps.filter((other) => other !== trap);
        isHeld = true;
        const caught = () => trap.caught.resolve({ command, cut });
        if (trap.moment === 'before it arrives') {
          caught();
        } else {
          // The answer to what follows it on the same link tells that it has been carried out.
          onAnswer = caught;
          // A link that has ended by itself before that was the wrong one.
          far.once('close', () => {
            if (!answers.includes(MARK)) this.traps.push(trap);
          });
          far.write(Buffer.concat([bytes, Buffer.from(MARK_COMMAND)]));
        }
        return;
      }
    });
    far.on('data', (data) => {
      if (!isHeld) {
        near.write(data);
        return;
      }
      answers = Buffer.concat([answers, data]);
      if (answers.includes(MARK)) onAnswer?.();
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

interface Trap {
  readonly moment: Moment;
  readonly matches: Matches;
  readonly caught: Deferred<Caught>;
}

const MARK = 'the-mark-of-the-proxy';
/** Allowed in every state of a link; refused in some, with the text in its error. */
const MARK_COMMAND = `*2\r\n$4\r\nPING\r\n$${MARK.length}\r\n${MARK}\r\n`;

/** Cuts the commands of a client out of its bytes. */
class CommandReader {
  private rest: Buffer = Buffer.alloc(0);

  *read(data: Buffer): Generator<{ words: string[]; bytes: Buffer }> {
    this.rest = Buffer.concat([this.rest, data]);
    for (;;) {
      const command = this.next();
      if (!command) return;
      this.rest = this.rest.subarray(command.bytes.length);
      yield command;
    }
  }

  private next(): { words: string[]; bytes: Buffer } | undefined {
    const { rest } = this;
    let at = 0;
    const number = (): number | undefined => {
      const end = rest.indexOf('\r\n', at);
      if (end < 0) return undefined;
      const value = Number(rest.toString('latin1', at + 1, end));
      at = end + 2;
      return value;
    };
    const count = number();
    if (count === undefined) return undefined;
    const words: string[] = [];
    for (let word = 0; word < count; word++) {
      const length = number();
      if (length === undefined || rest.length < at + length + 2) return undefined;
      words.push(rest.toString('utf8', at, at + length));
      at += length + 2;
    }
    return { words, bytes: rest.subarray(0, at) };
  }
}

const scripts = new Map<string, string>();
for (const { name, text, flags } of Object.values(compiled)) {
  scripts.set(digest(text), name);
  scripts.set(digest(`#!lua flags=${flags}\n${text}`), name);
}

function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

function nameOf([first = '', second = '']: readonly string[]): string {
  const name = first.toLowerCase();
  if (name === 'evalsha') return scripts.get(second) ?? 'unknown script';
  if (name === 'eval') return scripts.get(digest(second)) ?? 'unknown script';
  if (name === 'client' || name === 'pubsub') return `${name}|${second.toLowerCase()}`;
  return name;
}

function linkName([first = '', second = '', third]: readonly string[]): string | undefined {
  const isNamed = first.toLowerCase() === 'client' && second.toLowerCase() === 'setname';
  return isNamed ? third : undefined;
}
