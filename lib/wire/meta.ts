import { parsePythonJson } from './python-json.js';

/**
 * A job's `meta`, free data beside the call. RQ's own tools (`rq info`, dashboards) rewrite JSON meta of failed jobs as
 * the pickle of `{'unserialized': b'...'}`; the JSON inside is recovered by its position, without decoding a pickle.
 * What cannot be read counts as empty: meta never keeps a job from running.
 * @param maxBytes longer meta counts as empty
 */
export function decodeMeta(
  meta: Buffer | null | undefined,
  maxBytes: number,
): Record<string, unknown> {
  if (!meta || meta.length === 0 || meta.length > maxBytes) return {};
  const json = meta[0] === 0x80 ? unserialized(meta) : meta;
  if (!json) return {};
  try {
    const value = parsePythonJson(json.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

const KEY = Buffer.from('unserialized');
const SHORT_BYTES = 0x43;
const BYTES = 0x42;

/** The bytes that follow the key: opcode `C` and a 1-byte length, or `B` and a 4-byte one. */
function unserialized(pickle: Buffer): Buffer | undefined {
  const key = pickle.indexOf(KEY);
  if (key < 0) return undefined;
  // MEMOIZE (0x94) may stand between the key and its value.
  let at = key + KEY.length;
  if (pickle[at] === 0x94) at += 1;
  if (pickle[at] === SHORT_BYTES && at + 2 <= pickle.length) {
    return pickle.subarray(at + 2, at + 2 + (pickle[at + 1] ?? 0));
  }
  if (pickle[at] === BYTES && at + 5 <= pickle.length) {
    return pickle.subarray(at + 5, at + 5 + pickle.readUInt32LE(at + 1));
  }
  return undefined;
}
