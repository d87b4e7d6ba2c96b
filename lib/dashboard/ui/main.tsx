import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { startKeys } from './keys.js';
import { Later } from './later.js';
import { startLive } from './live.js';
import { Failures } from './pages/failures.js';
import { Jobs } from './pages/jobs.js';
import { Overview } from './pages/overview.js';
import { QueuePage } from './pages/queue.js';
import { Empty } from './parts.js';
import { place } from './router.js';
import { Shell } from './shell.js';
import { boot, needCount } from './state.js';
import { language, startLanguage, t } from './words.js';

/** The page's beginning: which of its pages is shown. Those that are opened rarely come in files of their own. */
function App() {
  void language.value;
  const { parts, query } = place.value;
  const [first = '', second] = parts;
  useEffect(() => {
    const bad = needCount.value;
    document.title = `${bad > 0 ? `(${bad}) ` : ''}${second ?? first ?? ''}${first ? ' · ' : ''}rq${boot.environment ? ` ${boot.environment}` : ''}`;
  });
  return <Shell>{pageOf(first, second ?? query.get('queue') ?? undefined)}</Shell>;
}

function pageOf(first: string, second: string | undefined) {
  switch (first) {
    case '':
      return <Overview />;
    case 'queues':
      return second === undefined ? <Overview /> : <QueuePage key={second} name={second} />;
    case 'jobs':
      return place.value.parts[1] === undefined ? (
        <Jobs />
      ) : (
        <Later
          key={place.value.parts[1]}
          load={async () => (await import('./pages/job.js')).Job}
          props={{ id: place.value.parts[1] }}
        />
      );
    case 'failures':
      return <Failures cause={place.value.parts[1]} />;
    case 'workers':
      return (
        <Later
          key={first}
          load={async () => (await import('./pages/workers.js')).Workers}
          props={{}}
        />
      );
    case 'schedules':
      return (
        <Later
          key={first}
          load={async () => (await import('./pages/schedules.js')).Schedules}
          props={{}}
        />
      );
    case 'metrics':
      return (
        <Later
          key={first}
          load={async () => (await import('./pages/metrics.js')).Metrics}
          props={{}}
        />
      );
    case 'audit':
      return (
        <Later key={first} load={async () => (await import('./pages/audit.js')).Audit} props={{}} />
      );
    case 'redis':
      return (
        <Later
          key={first}
          load={async () => (await import('./pages/redis.js')).RedisPage}
          props={{}}
        />
      );
    default:
      return <Empty title={t('problem.missing')} />;
  }
}

await startLanguage();
startLive();
startKeys();
const app = document.getElementById('app');
if (app) render(<App />, app);
