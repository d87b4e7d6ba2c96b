import { useEffect, useState } from 'preact/hooks';
import type { ErrorAnswer } from '../server/answers.js';
import { isLive, say } from './state.js';
import { isKey, t } from './words.js';

/** Questions to the server, and the changes that it is asked for. */

export class Problem extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export type Params = Readonly<Record<string, string | number | undefined | null>>;

export function addressOf(path: string, params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `api/${path}?${text}` : `api/${path}`;
}

export async function ask<Answer>(
  path: string,
  params: Params = {},
  signal?: AbortSignal,
): Promise<Answer> {
  return answerOf<Answer>(
    fetch(addressOf(path, params), {
      headers: { Accept: 'application/json' },
      ...(signal && { signal }),
    }),
  );
}

export async function tell<Answer>(path: string, body: object): Promise<Answer> {
  return answerOf<Answer>(
    fetch(addressOf(path), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

/** Asks for a change and says what came of it; undefined when it was refused. */
export async function change<Answer>(
  path: string,
  body: object,
  done?: string,
): Promise<Answer | undefined> {
  try {
    const answer = await tell<Answer>(path, body);
    if (done) say(done);
    return answer;
  } catch (error) {
    say(wordsOf(error), 'problem');
    return undefined;
  }
}

async function answerOf<Answer>(asked: Promise<Response>): Promise<Answer> {
  let response: Response;
  try {
    response = await asked;
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new Problem('network', '');
  }
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const answer: unknown = isJson ? await response.json() : undefined;
  if (response.ok && isJson) return answer as Answer;
  const { error, message } = (answer ?? {}) as Partial<ErrorAnswer>;
  throw new Problem(typeof error === 'string' ? error : String(response.status), message ?? '');
}

export function wordsOf(error: unknown): string {
  if (!(error instanceof Problem)) return String(error);
  const key = `problem.${error.code}`;
  if (isKey(key) && error.code !== 'option') return t(key);
  return error.message || t('problem.error');
}

export interface Asked<Answer> {
  readonly answer: Answer | undefined;
  readonly problem: Problem | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/**
 * The answer to a question, asked again every so many milliseconds while somebody looks. What was there stays while the
 * next one is on its way, and when Redis is gone.
 */
export function useAnswer<Answer>(
  path: string | undefined,
  params: Params = {},
  every?: number,
): Asked<Answer> {
  const key = path === undefined ? undefined : addressOf(path, params);
  const [state, setState] = useState<{ key?: string; answer?: Answer; problem?: Problem }>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (key === undefined || path === undefined) return undefined;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        const answer = await ask<Answer>(path, params, gone.signal);
        setState({ key, answer });
      } catch (error) {
        if (gone.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem('error', String(error));
        setState((before) => ({ ...(before.key === key ? before : { key }), problem }));
      }
      if (every !== undefined && !gone.signal.aborted) timer = setTimeout(again, every);
    };
    const again = () => {
      if (document.hidden || !isLive.peek()) timer = setTimeout(again, every ?? 1000);
      else void look();
    };
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [key, every, round]);
  const isSame = state.key === key;
  return {
    answer: isSame || (path !== undefined && KEPT.has(path)) ? state.answer : undefined,
    problem: isSame ? state.problem : undefined,
    isLoading: !isSame,
    reload: () => setRound((before) => before + 1),
  };
}

/** Of lists and charts the old answer is shown until the new one is there; another job is another page. */
const KEPT = new Set(['list', 'search', 'history', 'failures', 'audit']);
