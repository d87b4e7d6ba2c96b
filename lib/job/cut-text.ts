/** Texts of limited size: what is longer is cut, never in the middle of a character, and ends in a mark. */

/** The text, cut to so many bytes of UTF-8, the mark included. */
export function cutBytes(text: string, limit: number): string {
  // A UTF-16 unit is at most 3 bytes: most texts need no counting.
  if (text.length * 3 <= limit) return text;
  const encoder = new TextEncoder();
  // Each unit is at least one byte: of a text that is far too long no more than that is looked at.
  const start = text.slice(0, limit + 1);
  if (start.length === text.length && encoder.encode(text).length <= limit) return text;
  const room = limit - encoder.encode(CUT).length;
  if (room < 0) return '';
  // Stops before the first character that does not fit as a whole.
  const { read: fitting } = encoder.encodeInto(start, new Uint8Array(room));
  return start.slice(0, fitting) + CUT;
}

const CUT = '\n… (cut)';
