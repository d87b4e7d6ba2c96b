import { Button } from './parts.js';
import { place, setQuery } from './router.js';
import { t } from './words.js';

/** What several pages let one choose in the same way. It stands in the address, so that it can be sent to others. */

/** One queue, or all. */
export function QueueChoice({ names }: { readonly names: readonly string[] }) {
  return (
    <label class="inline">
      <span>{t('queue')}</span>
      <AllOrOne
        names={names}
        chosen={place.value.query.get('queue') ?? ''}
        choose={(name) => setQuery({ queue: name || undefined })}
      />
    </label>
  );
}

/** Some names, and all of them (''). */
export function AllOrOne({
  names,
  chosen,
  choose,
  label,
}: {
  readonly names: readonly string[];
  readonly chosen: string;
  readonly choose: (name: string) => void;
  readonly label?: string;
}) {
  return (
    <select
      aria-label={label}
      value={chosen}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      <option value="">{t('all')}</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Looks at five times as many entries as before. */
export function LookFurther() {
  const budget = Number(place.value.query.get('budget')) || 10_000;
  return (
    <Button kind="ghost" onClick={() => setQuery({ budget: String(budget * 5) })}>
      {t('search.on')}
    </Button>
  );
}
