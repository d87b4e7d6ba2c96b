import { useState } from 'preact/hooks';
import { Copy } from './parts.js';
import { t } from './words.js';

/** A stack: the lines of one's own code stand out, those of others are folded. */
export function Stack({ text }: { readonly text: string }) {
  const [isWhole, setWhole] = useState(false);
  const lines = text.split('\n');
  const groups: { readonly isForeign: boolean; readonly lines: string[] }[] = [];
  for (const line of lines) {
    const isForeign = FOREIGN.test(line);
    const last = groups.at(-1);
    if (last?.isForeign === isForeign) last.lines.push(line);
    else groups.push({ isForeign, lines: [line] });
  }
  return (
    <div class="stack">
      <Copy text={text} label={t('copy.stack')} />
      <pre tabIndex={0} aria-label={t('stack')}>
        {groups.map((group, index) =>
          group.isForeign && !isWhole && group.lines.length > 1 ? (
            <button key={index} type="button" class="text-button" onClick={() => setWhole(true)}>
              ▸ {t('frames', { n: group.lines.length })}
            </button>
          ) : (
            group.lines.map((line, at) => (
              <span key={`${index}-${at}`} class={lineClass(line, group.isForeign)}>
                <bdi>{line}</bdi>
                {'\n'}
              </span>
            ))
          ),
        )}
      </pre>
    </div>
  );
}

const FOREIGN = /node_modules|\(node:|at node:|site-packages|lib\/python/;

function lineClass(line: string, isForeign: boolean): string {
  if (isForeign) return 'frame-foreign';
  return /^\s+at |^\s+File "/.test(line) ? 'frame-own' : 'frame-text';
}
