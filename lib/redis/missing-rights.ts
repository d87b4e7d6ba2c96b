import { after } from '../time/timer.js';
import type { Connections } from './connections.js';

/**
 * Names the rights that our user lacks. They are looked at when a process starts, before anything is written. A right may
 * be taken away later: inside of a script, Redis then says no more than "can't run this command". So they are looked at
 * again when something is refused for lack of a right.
 */
export class MissingRights {
  private needed: Rights | undefined;
  /** Under way, or made a moment ago. */
  private look: Promise<string[]> | undefined;

  constructor(private readonly connections: Pick<Connections, 'run'>) {}

  /** Which of them are missing, as an ACL names them. None when Redis cannot be asked. Never rejects. */
  missing(needed: Rights): Promise<string[]> {
    this.note(needed);
    return this.ask(needed);
  }

  /** The process needs these, which can be named from now on. One process may produce and work. */
  note(needed: Rights): void {
    if (needed.commands.length >= (this.needed?.commands.length ?? 0)) this.needed = needed;
  }

  /** The same as another way to the same user. */
  noteAs({ needed }: MissingRights): void {
    if (needed) this.note(needed);
  }

  /** What Redis has refused, in its words, or in better ones when it is for lack of rights. Never rejects. */
  async named(refusal: string): Promise<string> {
    const { needed } = this;
    if (!needed || !isDenied(refusal) || isLeftOut(refusal, needed)) return refusal;
    // Many calls may be refused at once, and for long.
    this.look ??= this.ask(needed).finally(() => {
      after(LOOK_AGAIN_AFTER, () => (this.look = undefined)).unref();
    });
    const missing = await this.look;
    return missing.length === 0 ? refusal : `NOPERM ${lackOf(missing)}: ${HOW_TO_ALLOW}`;
  }

  private async ask({ commands, keys, channels }: Rights): Promise<string[]> {
    const list = JSON.stringify([commands, keys, channels]);
    try {
      return (await this.connections.run('look at the rights', (redis) =>
        redis.eval(RIGHTS, 0, list).catch((error: unknown) => {
          const denied =
            error instanceof Error && /NOPERM.*'(\S+)' command/.exec(error.message)?.[1];
          if (!denied) throw error;
          return [denied];
        }),
      )) as string[];
    } catch {
      return [];
    }
  }
}

/** What a process does with Redis: commands as an ACL names them, patterns of keys and channels. */
export interface Rights {
  readonly commands: readonly string[];
  readonly keys: readonly string[];
  readonly channels: readonly string[];
}

/** A clause for a message. */
export function lackOf(missing: readonly string[]): string {
  return `its user lacks rights (missing: ${missing.join(', ')})`;
}

export const HOW_TO_ALLOW = 'allow them, as docs/redis.md shows';

/** Redis has refused it since our user lacks a right. */
export function isDenied(text: string): boolean {
  return DENIED.test(text);
}

/** A command that a process does without, such as CONFIG. */
function isLeftOut(refusal: string, { commands }: Rights): boolean {
  const [, name] = /'(\S+)' command/.exec(refusal) ?? [];
  return name !== undefined && !commands.some((one) => one === name || one.startsWith(`${name}|`));
}

const DENIED =
  /\bNOPERM\b|can't (run this command|access at least one of the keys|publish to the channel)|ACL failure in script/;

/** Milliseconds. */
const LOOK_AGAIN_AFTER = 100;

// A script may ask for its user's rights, without any right to ask (Redis 7): one trip, and nothing is done.
const RIGHTS = `
local missing = {}
if not redis.acl_check_cmd then return missing end
local commands, keys, channels = unpack(cjson.decode(ARGV[1]))
local publish, subscribe = 'PUBLISH', 'SUBSCRIBE'
for _, command in ipairs(commands) do
  -- In a cluster channels belong to slots.
  if command == 'spublish' then publish = 'SPUBLISH' end
  if command == 'ssubscribe' then subscribe = 'SSUBSCRIBE' end
end
local allowed_key
-- Newer servers answer only when there are as many words as the command takes.
local function ask(name, ...)
  for _, words in ipairs({ 2, 0, 1, 3, 4, 5 }) do
    local call = { name, ... }
    for _ = 1, words do call[#call + 1] = allowed_key end
    local known, allowed = pcall(redis.acl_check_cmd, unpack(call))
    if known then return true, allowed end
  end
end
for _, key in ipairs(keys) do
  local name = string.gsub(key, '%*', 'x')
  if redis.acl_check_cmd('EXISTS', name) then allowed_key = name else missing[#missing + 1] = 'key ' .. key end
end
for _, command in ipairs(commands) do
  local name, sub = string.match(command, '^([^|]+)|?(.*)$')
  -- Those of channels are asked for with them.
  if allowed_key and name ~= string.lower(publish) and name ~= string.lower(subscribe) then
    local known, allowed
    if sub ~= '' then
      known, allowed = ask(name, sub)
    elseif string.sub(name, 1, 4) == 'eval' then
      -- Their count of keys must be there: Redis 7.0 ends with a fault without it.
      known, allowed = pcall(redis.acl_check_cmd, name, '', '0')
    else
      known, allowed = ask(name)
    end
    if known and not allowed then missing[#missing + 1] = command end
  end
end
for _, channel in ipairs(channels) do
  local name = string.gsub(channel, '%*', 'x')
  if not redis.acl_check_cmd(publish, name, '') then missing[#missing + 1] = 'publish to channel ' .. channel end
  if not redis.acl_check_cmd(subscribe, name) then missing[#missing + 1] = 'subscribe to channel ' .. channel end
end
return missing`;
