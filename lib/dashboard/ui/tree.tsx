import { useState } from 'preact/hooks';
import { number, t } from './words.js';

/** A value of JSON as a tree: what is large is folded, what is secret is shown as such. */
export function Tree({ value, name, depth = 0 }: TreeProps) {
  const isFolder = typeof value === 'object' && value !== null;
  const entries = isFolder ? Object.entries(value) : [];
  const [isOpen, setOpen] = useState(depth < 2 && entries.length <= 30);
  const [most, setMost] = useState(100);
  const label =
    name === undefined ? null : (
      <span class="tree-key">
        <bdi>{name}</bdi>
      </span>
    );
  if (!isFolder || entries.length === 0) {
    return (
      <div class="tree-line" style={{ paddingInlineStart: `${depth * 14 + 16}px` }}>
        {label}
        <Leaf value={value} />
      </div>
    );
  }
  const isList = Array.isArray(value);
  // The root is no folder: it is what the card is about.
  if (name === undefined && depth === 0) {
    return (
      <>
        {entries.slice(0, most).map(([key, one]) => (
          <Tree key={key} name={key} value={one} depth={0} />
        ))}
        {entries.length > most && (
          <button type="button" class="text-button" onClick={() => setMost(most + 500)}>
            {t('more', { n: entries.length - most })}
          </button>
        )}
      </>
    );
  }
  return (
    <div>
      <button
        type="button"
        class="tree-line tree-fold"
        style={{ paddingInlineStart: `${depth * 14}px` }}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <span class="tree-mark" aria-hidden="true">
          {isOpen ? '▾' : '▸'}
        </span>
        {label}
        <span class="dim">
          {isList
            ? `[${number(entries.length)}]`
            : isOpen
              ? ''
              : `{${entries
                  .slice(0, 3)
                  .map(([key]) => key)
                  .join(', ')}${entries.length > 3 ? ', …' : ''}}`}
        </span>
      </button>
      {isOpen && (
        <>
          {entries.slice(0, most).map(([key, one]) => (
            <Tree key={key} name={key} value={one} depth={depth + 1} />
          ))}
          {entries.length > most && (
            <button type="button" class="text-button" onClick={() => setMost(most + 500)}>
              {t('more', { n: entries.length - most })}
            </button>
          )}
        </>
      )}
    </div>
  );
}

interface TreeProps {
  readonly value: unknown;
  readonly name?: string;
  readonly depth?: number;
}

const BLANK = '•••';
const SHORT = 300;

function Leaf({ value }: { readonly value: unknown }) {
  const [isWhole, setWhole] = useState(false);
  if (value === BLANK)
    return (
      <span class="tree-blank">
        {BLANK} <span class="dim">{t('redacted')}</span>
      </span>
    );
  if (typeof value !== 'string')
    return <code class="tree-atom">{value === undefined ? '–' : JSON.stringify(value)}</code>;
  const isLong = value.length > SHORT && !isWhole;
  return (
    <>
      <code class="tree-text">
        <bdi>{isLong ? `${value.slice(0, SHORT)}…` : value === '' ? '""' : value}</bdi>
      </code>
      {isLong && (
        <button type="button" class="text-button" onClick={() => setWhole(true)}>
          {t('whole')}
        </button>
      )}
    </>
  );
}
