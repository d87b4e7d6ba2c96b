import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { neverThere } from '../wire/keyspace.js';

/**
 * A Lua script that Redis runs as one step. Its keys and arguments have names, which its header declares; the one who
 * calls it gives them by name. Redis is asked by digest, and given the text again when it has forgotten it (a restart,
 * `SCRIPT FLUSH`).
 *
 * Some scripts begin with a line of flags, by which they may write although Redis's memory is full: what runs must be
 * settled. Redis before 7 takes such a line for a fault; the client that was told so is sent the plain text.
 */
export class Script<Key extends string = string, Value extends string = string> {
  /** Of the text without flags. */
  readonly digest: string;
  private readonly texts: Texts;
  private textsOfTags: Texts | undefined;
  /** Clients whose server has this script. */
  private readonly known = new WeakSet<Redis>();

  /** @param compiled what scripts/compile-lua.mjs made of the Lua file */
  constructor(private readonly compiled: CompiledScript<Key, Value>) {
    const { flags, text } = compiled;
    this.texts = textsOf(text, flags);
    this.digest = this.texts.plain.digest;
  }

  /** The keys in the script's order; for calls that are made again and again, so that they are put in order once. */
  keys(named: Readonly<Record<Key, string>>): readonly string[] {
    return this.compiled.keys.map((key) => named[key]);
  }

  /** The arguments in the script's order; those of which there may be many are to be added behind them. */
  values(named: Readonly<Record<Value, ScriptValue>>): ScriptValue[] {
    return this.compiled.values.map((value) => named[value]);
  }

  /** Runs it; the reply's texts are Buffers, since Python's job data is binary. */
  async run(
    redis: Redis,
    keys: readonly string[],
    values: readonly ScriptValue[],
  ): Promise<unknown> {
    const isOfTag = inClusterLayout.has(redis);
    const { plain, flagged } = isOfTag ? this.ofTags() : this.texts;
    const all = isOfTag ? withNeverThere(keys) : keys;
    if (!flagged || withoutFlags.has(redis)) return call(plain, redis, all, values);
    try {
      return await call(flagged, redis, all, values);
    } catch (error) {
      if (!(error instanceof Error) || !NO_FLAGS.test(error.message)) throw error;
      withoutFlags.add(redis);
      // The next link may lead to another server.
      redis.once('close', () => withoutFlags.delete(redis));
      return call(plain, redis, all, values);
    }
  }

  /**
   * As `run`, for what must not be overtaken: a script that the server does not know yet is sent as text at once, where
   * `run` would send it behind what was sent after it. Only for scripts without flags.
   */
  async runInOrder(
    redis: Redis,
    keys: readonly string[],
    values: readonly ScriptValue[],
  ): Promise<unknown> {
    if (this.known.has(redis)) return this.run(redis, keys, values);
    const isOfTag = inClusterLayout.has(redis);
    const { text } = (isOfTag ? this.ofTags() : this.texts).plain;
    const all = isOfTag ? withNeverThere(keys) : keys;
    const reply = await redis.callBuffer('EVAL', text, all.length, ...all, ...values);
    this.known.add(redis);
    // The next link may lead to another server.
    redis.once('close', () => this.known.delete(redis));
    return reply;
  }

  private ofTags(): Texts {
    this.textsOfTags ??= textsOf(inSlot(this.compiled.text), this.compiled.flags);
    return this.textsOfTags;
  }
}

/**
 * From now on scripts that run on this client are those of the cluster layout: they name a key that never exists, and
 * tell what they tell on the channels of their slot.
 */
export function runInClusterLayout(redis: Redis): void {
  inClusterLayout.add(redis);
}

/** The text of a script as the cluster layout has it: its channels belong to slots, as keys do. */
export function inSlot(text: string): string {
  return text.replaceAll("'PUBLISH'", "'SPUBLISH'").replaceAll("'NUMSUB'", "'SHARDNUMSUB'");
}

const inClusterLayout = new WeakSet<Redis>();

/** Redis looks at more than one key only where there are several. */
export function withNeverThere(keys: readonly string[]): readonly string[] {
  const [first] = keys;
  if (first === undefined) throw new Error('a script of the cluster layout needs a key');
  return [...keys, neverThere(first)];
}

export interface CompiledScript<Key extends string, Value extends string> {
  readonly name: string;
  readonly keys: readonly Key[];
  readonly values: readonly Value[];
  /** '' = none. */
  readonly flags: string;
  /** What it may run, as an ACL names it: `hset`, `pubsub|numsub`. */
  readonly commands: readonly string[];
  readonly text: string;
}

export type ScriptValue = string | number | Buffer;

interface ScriptText {
  readonly text: string;
  readonly digest: string;
}

interface Texts {
  readonly plain: ScriptText;
  readonly flagged: ScriptText | undefined;
}

function textsOf(text: string, flags: string): Texts {
  const flagged = flags === '' ? undefined : withDigest(`#!lua flags=${flags}\n${text}`);
  return { plain: withDigest(text), flagged };
}

/** Clients whose Redis takes no line of flags. */
const withoutFlags = new WeakSet<Redis>();

/** The line of flags was taken for a fault, or the flag is unknown: nothing has run. */
const NO_FLAGS = /Error compiling script|unexpected symbol near '#'|Unexpected (flag|engine)/;

function withDigest(text: string): ScriptText {
  return { text, digest: createHash('sha1').update(text).digest('hex') };
}

async function call(
  { text, digest }: ScriptText,
  redis: Redis,
  keys: readonly string[],
  values: readonly ScriptValue[],
): Promise<unknown> {
  try {
    return await redis.callBuffer('EVALSHA', digest, keys.length, ...keys, ...values);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.callBuffer('EVAL', text, keys.length, ...keys, ...values);
  }
}
